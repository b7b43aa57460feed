// Makes a page of the book live: progress, grading, experiments. Only `cargo book` adds this, for the reader who has its
// cookie. All texts are set as text; the one piece of HTML is the drawing of a wire, which the server makes.

const about = document.querySelector('meta[name="book"]');
const html = document.documentElement;
html.classList.add("live");

const chinese = {
    "Grade": "评分", "Grading…": "评分中…", "Stop": "停止", "Run": "运行", "Running…": "运行中…",
    "Run these experiments on this kernel": "在本机内核上运行这些实验", "passed": "通过", "points": "分",
    "of": "/", "does not compile": "编译不过", "The grader did not finish:": "评分程序没有运行完：",
    "not run:": "未运行：", "the grader's fault, not yours": "是评分程序的错，不是你的",
    "Read on:": "延伸阅读：", "Next:": "下一题：", "Here:": "本机：", "as recorded": "与记录一致",
    "different here": "与记录不同", "not run here": "本机未能运行", "exercises pass": "道习题已通过",
    "done": "已通过", "changed": "通过后又改过", "failing": "未通过", "new": "未做", "Close": "关闭",
    "The book was not rebuilt:": "本书没有重新生成：", "warnings from the compiler": "条编译警告",
    "cargo book has ended, or was started anew: open the address that it prints.":
        "cargo book 已结束或已重新启动：请打开它打印的地址。",
};
const say = (words) => (html.lang.startsWith("zh") && chinese[words]) || words;
const root = html.dataset.root ?? "";
const page = (place) => root + place.replace(/^([^#]*)/, "$1.html");

/** An element: its name and classes, its text or its parts. */
function make(name, ...parts) {
    const [tag, ...classes] = name.split(".");
    const element = document.createElement(tag);
    if (classes.length > 0) element.className = classes.join(" ");
    if (tag === "button") element.type = "button";
    element.append(...parts.filter((part) => part !== null && part !== undefined));
    return element;
}

function link(href, text) {
    const element = make("a", text);
    element.href = href;
    return element;
}

async function post(where, what) {
    let wrong = "";
    try {
        const answer = await fetch(`/.book/${where}`, {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-Book": about.content },
            body: JSON.stringify(what),
        });
        if (!answer.ok) wrong = (await answer.json()).wrong;
    } catch {
        wrong = say("cargo book has ended, or was started anew: open the address that it prints.");
    }
    if (wrong) note(wrong);
}

// What runs, or has run: by what was asked for.

const runs = new Map();
const claims = new Map();
let progress = [];
let dirty = new Set();
const cards = [];
const rows = [];
const tables = [];
const name = (target) => JSON.stringify(target);

function hear(message) {
    switch (message.kind) {
        case "hello":
            for (const key of runs.keys()) dirty.add(key);
            runs.clear();
            break;
        case "book":
            if (message.build !== about.dataset.build) return location.reload();
            wrongBook(message.wrong);
            break;
        case "progress":
            if (Array.isArray(message.of)) progress = message.of;
            else if (message.of?.wrong) note(message.of.wrong);
            dirty.add("progress");
            break;
        case "begin":
            runs.set(name(message.target), { target: message.target, checks: [], running: true });
            break;
        case "event":
            happens(runs.get(name(message.target)), message.event);
            break;
        case "done": {
            const run = runs.get(name(message.target));
            run.running = false;
            run.wrong = message.wrong;
            break;
        }
    }
    if (message.target) dirty.add(name(message.target));
    soon();
}

function happens(run, event) {
    switch (event.event) {
        case "busy":
            run.busy = event.text;
            break;
        case "compiler":
            run.compiler = event.text;
            break;
        case "check":
            run.checks.push({ ...event, wires: [] });
            break;
        case "wire":
            run.checks.find((check) => check.check === event.check)?.wires.push(event.html);
            break;
        case "claim":
            claims.set(event.id, event);
            dirty.add(`claim ${event.id}`);
            run.claims = [...(run.claims ?? []), event];
            break;
        case "died":
            run.end = { died: event.how, output: event.output };
            break;
        case "end":
            run.end = { ...run.end, ...event };
            break;
    }
}

// Shows what is new, once a frame.
let waiting = false;
function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
        waiting = false;
        const changed = dirty;
        dirty = new Set();
        if (changed.has("progress")) showProgress();
        for (const card of cards) {
            const key = name({ exercise: card.slug });
            if (changed.has(key) || changed.has("progress")) card.show(runs.get(key));
        }
        for (const row of rows) {
            const key = name({ claims: row.id });
            if (changed.has(`claim ${row.id}`) || changed.has(key)) row.show(claims.get(row.id), runs.get(key));
        }
        for (const table of tables) table.show(table.run());
        showStatus(changed);
    });
}

// An exercise's card.

class Card {
    constructor(article) {
        this.slug = article.dataset.exercise;
        this.element = article;
        this.button = make("button.primary", say("Grade"));
        this.button.addEventListener("click", () => {
            if (this.running) post("stop", {});
            else post("run", { exercise: this.slug });
        });
        this.standing = make("span.standing");
        this.busy = make("span.busy");
        this.result = make("div.verdict");
        this.headline = make("p.headline");
        this.headline.setAttribute("role", "status");
        this.shown = "";
        let slot = article.querySelector('[data-slot="exercise"]');
        if (!slot) {
            slot = make("div.slot");
            (article.querySelector(".facts") ?? article.firstElementChild).after(slot);
        }
        slot.append(make("div.live-bar", this.button, this.standing, this.busy), this.headline, this.result);
    }

    show(run) {
        const exercise = progress.find((one) => one.slug === this.slug);
        const standing = exercise?.standing ?? "";
        this.element.dataset.standing = standing;
        this.standing.textContent = standing && standing !== "new" ? say(standing) : "";
        this.running = run?.running ?? false;
        this.button.textContent = say(this.running ? "Stop" : "Grade");
        this.busy.textContent = this.running ? run.busy ?? say("Grading…") : "";
        // What was not there before is shown; what the reader opened stays open.
        const now = JSON.stringify([run?.running, run?.checks, run?.end, run?.compiler, run?.wrong]);
        if (now === this.shown) return;
        this.shown = now;
        const [mark, ...words] = run ? headline(run) : [""];
        this.headline.className = `headline ${mark}`;
        this.headline.replaceChildren(...words);
        this.result.replaceChildren(...(run ? verdict(run) : []));
        this.result.querySelectorAll("figure[data-module]").forEach(play);
    }
}

function headline(run) {
    if (run.running) return [""];
    if (run.wrong) return ["fails", run.wrong];
    if (run.compiler) return ["fails", `✗ ${say("does not compile")}`];
    if (!run.end) return [""];
    const score = `${run.end.points} ${say("of")} ${run.end.of} ${say("points")}`;
    if (!run.end.passed) return ["fails", `✗ ${score}`];
    const next = run.end.next;
    const more = next ? [` ${say("Next:")} `, link(page(next.place), next.title)] : [];
    return ["passes", `✓ ${say("passed")}, ${score}.`, ...more];
}

function verdict(run) {
    const parts = [];
    if (run.compiler) parts.push(text("compiler", run.compiler));
    const failed = run.checks.find((check) => check.outcome === "fail" || check.outcome === "fault");
    if (run.checks.length > 0) {
        parts.push(make("ul.checks", ...run.checks.map((check) => make(`li.${check.outcome}`, detail(check, check === failed)))));
    }
    if (run.end?.died) parts.push(make("p", `${say("The grader did not finish:")} ${run.end.died}`), text("output", run.end.output));
    if (run.end?.warnings?.length > 0) {
        const summary = make("summary", `${run.end.warnings.length} ${say("warnings from the compiler")}`);
        parts.push(make("details", summary, text("compiler", run.end.warnings.join("\n"))));
    }
    return parts;
}

const marks = { pass: "✓", fail: "✗", "not-run": "○", fault: "!" };

/** A check in a line, and what there is to see of it. */
function detail(check, open) {
    const why = {
        pass: "",
        fail: check.why,
        "not-run": `${say("not run:")} ${check.why.replace(/^not run: /, "")}`,
        fault: say("the grader's fault, not yours"),
    }[check.outcome];
    const mark = make("span.mark", marks[check.outcome]);
    const line = [mark, " ", make("code", check.check), why ? make("span.why", ` ${why}`) : null];
    const seen = check.wires.map((wire) => {
        const drawing = make("div.seen");
        drawing.innerHTML = wire;
        return drawing;
    });
    const failed = check.outcome === "fail" || check.outcome === "fault";
    if (!failed && seen.length === 0) return make("p", ...line);
    const beside = make("div.beside");
    if (failed) {
        const read = check.see ? make("p", `${say("Read on:")} `, link(page(check.see), heading(check.see))) : null;
        beside.append(make("div", text("message", check.messages?.[html.lang] || check.message || check.why), read));
    }
    beside.append(...seen);
    const details = make("details", make("summary", ...line), beside);
    details.open = open;
    return details;
}

/** What programs wrote, without their colors. */
function text(kind, what) {
    // eslint-disable-next-line no-control-regex
    const element = make(`pre.${kind}`, (what ?? "").replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, ""));
    element.tabIndex = 0;
    return element;
}

/** The title of a section of this page, or where it is. */
function heading(place) {
    const [file, id] = place.split("#");
    const here = location.pathname.endsWith(`/${file}.html`) && document.getElementById(id);
    return here ? here.textContent.trim() : place;
}

/** Lets a drawing be played, as those that the page came with. */
async function play(figure) {
    try {
        const modules = JSON.parse(document.getElementById("modules").textContent);
        const module = await import(new URL(modules[figure.dataset.module], document.baseURI));
        module.default(figure, { words: (words) => words, still: matchMedia("(prefers-reduced-motion: reduce)").matches });
    } catch {
        // It stands still.
    }
}

// A claim's row.

class Row {
    constructor(row) {
        this.id = row.dataset.claim;
        this.element = row;
        this.button = make("button.quiet", say("Run"));
        this.button.setAttribute("aria-label", `${say("Run")} ${this.id}`);
        this.button.addEventListener("click", () => post("run", { claims: this.id }));
        // What an authority decides cannot be run.
        row.querySelector('[data-slot="claim"]')?.append(this.button);
        this.seen = make("p.here");
        this.seen.setAttribute("role", "status");
        row.cells[row.cells.length - 1].append(this.seen);
    }

    show(claim, run) {
        this.button.disabled = run?.running ?? false;
        this.button.textContent = say(run?.running ? "Running…" : "Run");
        const wrong = run?.wrong && !claim ? run.wrong : "";
        if (!claim && !wrong) return;
        const [mark, verdict] = {
            same: ["✓", "as recorded"],
            different: ["✗", "different here"],
            "not-run": ["○", "not run here"],
        }[claim?.outcome ?? "different"];
        this.seen.className = `here ${claim?.outcome ?? "different"}`;
        this.seen.textContent = wrong || `${say("Here:")} ${mark} ${say(verdict)}. ${claim.seen}`;
    }
}

/** A table of claims, with a button for all. */
class Table {
    constructor(table) {
        this.element = table;
        // Claims begin with the number of their chapter.
        this.chapter = table.querySelector("tr[data-claim]")?.dataset.claim.split(".")[0] ?? "";
        this.button = make("button.primary", say("Run these experiments on this kernel"));
        this.button.addEventListener("click", () => {
            if (this.running) post("stop", {});
            else post("run", { claims: this.chapter });
        });
        this.said = make("span.busy");
        this.said.setAttribute("role", "status");
        if (this.chapter) table.before(make("p.live-bar", this.button, this.said));
    }

    /** The last run of the whole chapter. */
    run() {
        return [...runs.values()].find((run) => run.target.claims?.startsWith(`${this.chapter}-`));
    }

    show(run) {
        this.running = run?.running ?? false;
        this.button.textContent = say(this.running ? "Stop" : "Run these experiments on this kernel");
        if (!run) return;
        const count = (outcome) => (run.claims ?? []).filter((claim) => claim.outcome === outcome).length;
        const counted = [["same", "as recorded"], ["different", "different here"], ["not-run", "not run here"]]
            .filter(([outcome]) => count(outcome) > 0)
            .map(([outcome, words]) => `${count(outcome)} ${say(words)}`).join(", ");
        const wrong = run.wrong || run.compiler || run.end?.died || "";
        this.said.textContent = this.running ? counted || (run.busy ?? say("Running…")) : [counted, wrong].filter(Boolean).join(". ");
    }
}

// What concerns the whole book.

function showProgress() {
    const passes = (one) => one.standing === "done" || one.standing === "changed";
    const contents = document.querySelectorAll("#contents a, .sidebar a");
    for (const chapter of new Set(progress.map((one) => one.chapter))) {
        const of = progress.filter((one) => one.chapter === chapter);
        for (const entry of contents) {
            if (entry.pathname?.endsWith(`/${chapter}.html`) && !entry.hash) {
                entry.dataset.progress = `${of.filter(passes).length}/${of.length}`;
            }
        }
    }
}

const status = document.getElementById("live") ?? document.body.appendChild(make("div"));
status.id = "live";
status.setAttribute("aria-live", "polite");

/** Says what is going on with things that are not on this page. */
function showStatus(changed) {
    for (const [key, run] of runs) {
        const slug = run.target.exercise;
        if (!changed.has(key) || !slug || cards.some((card) => card.slug === slug)) continue;
        const exercise = progress.find((one) => one.slug === slug);
        const where = exercise ? link(page(`${exercise.chapter}#exercise-${slug}`), slug) : slug;
        const [mark, ...words] = headline(run);
        if (run.running) note(where, " ", run.busy ?? say("Grading…"));
        else if (mark) note(where, " ", ...words);
    }
}

function note(...parts) {
    const close = make("button.quiet", "×");
    close.setAttribute("aria-label", say("Close"));
    close.addEventListener("click", () => { status.hidden = true; });
    status.replaceChildren(make("p", ...parts), close);
    status.hidden = false;
}

function wrongBook(wrong) {
    document.getElementById("book-is-wrong")?.remove();
    if (!wrong) return;
    const banner = text("wrong", `${say("The book was not rebuilt:")}\n\n${wrong}`);
    banner.id = "book-is-wrong";
    banner.setAttribute("role", "alert");
    document.body.append(banner);
}

// Parts of the page come when the reader asks for them.
function adopt() {
    const fresh = (selector, known) => [...document.querySelectorAll(selector)]
        .filter((element) => !known.some((one) => one.element === element));
    cards.push(...fresh("article[data-exercise]", cards).map((article) => new Card(article)));
    rows.push(...fresh("tr[data-claim]", rows).map((row) => new Row(row)));
    tables.push(...fresh("table.claims", tables).map((table) => new Table(table)));
    for (const card of cards) card.show(runs.get(name({ exercise: card.slug })));
    for (const row of rows) row.show(claims.get(row.id), runs.get(name({ claims: row.id })));
    for (const table of tables) table.show(table.run());
}
adopt();
new MutationObserver((changes) => {
    const elements = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.nodeType === 1);
    const selector = "article[data-exercise], tr[data-claim], table.claims";
    if (elements.some((element) => element.matches(selector) || element.querySelector(selector))) adopt();
}).observe(document.getElementById("text") ?? document.body, { childList: true, subtree: true });

// A page that nobody looks at does not listen: browsers open six connections to a server and no more.
let events = null;
function listen() {
    if (document.visibilityState === "hidden") {
        events?.close();
        events = null;
    } else if (!events) {
        events = new EventSource("/.book/events");
        events.addEventListener("message", (event) => hear(JSON.parse(event.data)));
        events.addEventListener("error", () => {
            if (events?.readyState === EventSource.CLOSED) {
                note(say("cargo book has ended, or was started anew: open the address that it prints."));
            }
        });
    }
}
document.addEventListener("visibilitychange", listen);
listen();
