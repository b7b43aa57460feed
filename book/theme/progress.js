// What the reader has read and solved, by the reader's own word: it is kept in this browser and goes nowhere. Where
// `cargo book` shows the book, it knows which exercises pass, and only the pages are ticked off here.

const KEY = "progress";

function load() {
    try {
        const kept = JSON.parse(localStorage.getItem(KEY));
        return { read: kept?.read ?? [], solved: kept?.solved ?? [] };
    } catch {
        return { read: [], solved: [] };
    }
}

/** Adds or removes one, in what is kept now: another page may have changed it. */
function keep(what, name, is) {
    const progress = load();
    progress[what] = progress[what].filter((known) => known !== name);
    if (is) progress[what].push(name);
    try {
        localStorage.setItem(KEY, JSON.stringify(progress));
    } catch { /* A browser that keeps nothing forgets it with the page. */ }
}

function box(words, what, name) {
    const label = document.createElement("label");
    label.className = "own";
    const input = document.createElement("input");
    input.type = "checkbox";
    input.checked = load()[what].includes(name);
    input.addEventListener("change", () => {
        keep(what, name, input.checked);
        if (what === "read") mark();
    });
    label.append(input, ` ${words}`);
    return label;
}

const file = (path) => path.split("/").pop() || "index.html";

/** Marks the pages in the contents. */
function mark() {
    const { read } = load();
    for (const entry of document.querySelectorAll("#contents a:not([href*='#'])")) {
        entry.toggleAttribute("data-read", read.includes(file(entry.pathname)));
    }
}

export default function progress(_, page) {
    const main = document.getElementById("text");
    if (!document.querySelector('meta[name="book"]')) {
        for (const card of main.querySelectorAll("article[data-exercise]")) {
            const slot = card.querySelector('[data-slot="exercise"]');
            slot?.append(box(page.words("I have solved this"), "solved", card.dataset.exercise));
        }
    }
    const here = file(location.pathname);
    if (document.querySelector(`#contents a[href$="${CSS.escape(here)}"], #contents a[aria-current]`)) {
        const line = document.createElement("p");
        line.className = "own-page";
        line.append(box(page.words("I have read this page"), "read", here));
        main.querySelector("nav.turn")?.before(line);
    }
    mark();
    addEventListener("storage", (event) => {
        if (event.key === KEY) mark();
    });
}
