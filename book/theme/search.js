// Search: finds sections by their words, offline. The index and its rules are those of course/weave/src/search.rs.
const wide = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/;
const runs = (text) => text.toLowerCase().match(/[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|(?:(?![\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])[\p{L}\p{N}_])+/gu) ?? [];
// Two neighbors each, where a language has no spaces.
const words = (text) => runs(text).flatMap((run) => {
    const chars = [...run];
    if (wide.test(run)) return chars.length > 1 ? chars.slice(1).map((c, at) => chars[at] + c) : [run];
    return chars.length > 1 || /[0-9]/.test(run) ? [run] : [];
});
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const element = (name, text = "", attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
};

export class Index {
    constructor(data) {
        Object.assign(this, data);
        this.words = data.words.trimEnd().split("\n").map((line) => line.split(" "));
    }

    // The sections that have all words, the best first, as pairs of a place and a weight.
    find(query) {
        let found;
        for (const term of words(query)) {
            const here = new Map();
            for (const [word, places] of this.words) {
                const from = word.indexOf(term);
                if (from < 0) continue;
                const fits = word === term ? 10 : from ? 0 : 4;
                let at = 0;
                for (const [, step, weight] of places.matchAll(/([0-9a-z]+)([A-Z])/g)) {
                    at += parseInt(step, 36);
                    here.set(at, Math.max(here.get(at) ?? 0, weight.charCodeAt() - 65 + fits));
                }
            }
            found = found
                ? new Map([...found].filter(([at]) => here.has(at)).map(([at, sum]) => [at, sum + here.get(at)]))
                : here;
        }
        const plain = query.toLowerCase().trim().replace(/\s+/g, " ");
        return [...found ?? []]
            .map(([at, sum]) => {
                const [, , title, teaches] = this.sections[at];
                return [at, sum + (teaches && title.toLowerCase().includes(plain) ? 20 : 0)];
            })
            .sort(([a, x], [b, y]) => y - x || a - b);
    }
}

export default async function (form, page) {
    const input = form.querySelector("input");
    const results = form.querySelector("#search-results");
    const status = element("p", "", { role: "status", class: "visually-hidden" });
    const list = element("div", "", { id: "search-list", role: "listbox", "aria-label": page.words("Sections found") });
    form.append(status);
    for (const [key, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "search-results", "aria-autocomplete": "list" })) input.setAttribute(key, value);
    const root = new URL(document.documentElement.dataset.root || ".", document.baseURI);
    const get = async (path) => (await fetch(new URL(path, root))).json();
    const texts = new Map();
    const textsOf = (name) => {
        if (!texts.has(name)) texts.set(name, get(`search/${name}.json`));
        return texts.get(name);
    };
    let index, asked = 0, chosen = -1;

    const options = () => [...list.children];
    const choose = (at) => {
        chosen = at;
        options().forEach((option, place) => option.setAttribute("aria-selected", place === at));
        const option = list.children[at];
        option?.scrollIntoView({ block: "nearest" });
        if (option) input.setAttribute("aria-activedescendant", option.id);
        else input.removeAttribute("aria-activedescendant");
    };
    const close = () => {
        asked++;
        results.replaceChildren();
        input.setAttribute("aria-expanded", "false");
        choose(-1);
    };
    // The words around the first match, with what was sought marked.
    const around = (text, query) => {
        const marks = new RegExp(runs(query).sort((a, b) => b.length - a.length).map(escaped).join("|"), "giu");
        const first = Math.max(0, text.search(marks));
        const start = first < 40 ? 0 : text.slice(0, first - 30).search(/\S*$/);
        const piece = text.slice(start, start + 150);
        const shown = element("span", start ? "…" : "", { class: "words" });
        let done = 0;
        for (const match of piece.matchAll(marks)) {
            shown.append(piece.slice(done, match.index), element("mark", match[0]));
            done = match.index + match[0].length;
        }
        shown.append(piece.slice(done), "…");
        return shown;
    };
    const show = async () => {
        const query = input.value, turn = ++asked;
        if (!runs(query).length) return close();
        try {
            index ??= get("search.json").then((data) => new Index(data));
            const { pages, sections } = await index, found = (await index).find(query);
            const long = runs(query).filter((run) => wide.test(run) && run.length > 2);
            const hits = [];
            for (const [at] of found) {
                if (turn !== asked) return;
                if (hits.length >= 20 && !long.length) { hits.push(null); continue; }
                const [place, id, title] = sections[at], [name, chapter] = pages[place];
                const text = (await textsOf(name))[at - sections.findIndex((section) => section[0] === place)];
                // Pairs do not make a run: the text has to have it.
                if (!long.every((run) => text.toLowerCase().includes(run))) continue;
                hits.push({ id, title, name, chapter, text });
            }
            if (turn !== asked) return;
            list.replaceChildren(...hits.slice(0, 20).map((hit, at) => {
                const option = element("a", "", { role: "option", id: `search-${at}`, tabindex: "-1", "aria-selected": "false", href: new URL(`${hit.name}.html#${hit.id}`, root).href });
                option.append(element("span", hit.chapter, { class: "chapter" }), element("strong", hit.title), around(hit.text, query));
                return option;
            }));
            const count = page.words("{1} found").replace("{1}", hits.length);
            status.textContent = hits.length ? count : page.words("Nothing found");
            results.replaceChildren(element("p", status.textContent, { "aria-hidden": "true" }), list);
            results.dataset.query = query;
            input.setAttribute("aria-expanded", "true");
            choose(hits.length ? 0 : -1);
        } catch {
            index = undefined;
            results.replaceChildren(element("p", page.words("The index could not be loaded.")));
        }
    };
    input.addEventListener("input", show);
    input.addEventListener("keydown", (event) => {
        const count = list.children.length, step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.isComposing) return;
        if (step && count && results.firstChild) choose((chosen + step + count) % count);
        else if (event.key === "Escape") { close(); input.value = ""; }
        else return;
        event.preventDefault();
    });
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        list.children[Math.max(chosen, 0)]?.click();
    });
    list.addEventListener("click", close);
    form.addEventListener("focusout", ({ relatedTarget }) => { if (!form.contains(relatedTarget)) close(); });
    input.addEventListener("focus", () => { if (input.value) show(); });
    if (input.value) show();
}
