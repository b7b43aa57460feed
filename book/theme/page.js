// What every page does: the colors the reader chose, copying, system calls on hover, and loading the rest when it is seen.
"use strict";

// Before the first paint, so that a dark page is never white for a moment.
try {
    const scheme = localStorage.getItem("scheme");
    if (scheme === "light" || scheme === "dark") document.documentElement.dataset.scheme = scheme;
} catch { /* A browser that keeps nothing shows the system's colors. */ }

document.addEventListener("DOMContentLoaded", () => {
    const root = document.documentElement;
    const json = (id) => JSON.parse(document.getElementById(id)?.textContent || "{}");
    const translated = json("words");
    const modules = json("modules");
    const page = {
        words: (text) => translated[text] ?? text,
        still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    };
    root.classList.add("script");
    if (CSS.supports("selector(:popover-open)")) root.classList.add("popovers");

    // Light, dark, or as the system has it.
    const schemes = { "": "Colors: as the system", light: "Colors: light", dark: "Colors: dark" };
    const button = document.getElementById("scheme");
    const named = () => {
        const text = page.words(schemes[root.dataset.scheme ?? ""]);
        button.setAttribute("aria-label", text);
        button.title = text;
    };
    button.addEventListener("click", () => {
        const dark = matchMedia("(prefers-color-scheme: dark)").matches;
        const order = dark ? ["", "light", "dark"] : ["", "dark", "light"];
        const next = order[(order.indexOf(root.dataset.scheme ?? "") + 1) % 3];
        if (next) root.dataset.scheme = next;
        else delete root.dataset.scheme;
        try {
            if (next) localStorage.setItem("scheme", next);
            else localStorage.removeItem("scheme");
        } catch { /* It holds for this page. */ }
        named();
    });
    named();

    // Where the reader is in the contents.
    const contents = document.getElementById("contents");
    const here = location.pathname.split("/").pop() || "index.html";
    const current = contents.querySelector("[aria-current]")
        ?? [...contents.querySelectorAll("a")].find((link) => link.pathname.split("/").pop() === here);
    current?.setAttribute("aria-current", "page");
    const reveal = () => {
        if (!current || !contents.clientHeight) return;
        const middle = current.offsetTop - contents.clientHeight / 2;
        if (middle > 0) contents.scrollTop = middle;
    };
    reveal();
    contents.addEventListener("toggle", reveal);

    // The section being read, in the list of the page's sections.
    const list = document.querySelector("nav.sections");
    if (list) {
        const details = list.querySelector("details");
        const wide = matchMedia("(min-width: 94rem)");
        const open = () => { details.open = wide.matches; };
        wide.addEventListener("change", open);
        if (wide.matches) open();
        list.addEventListener("click", (event) => {
            if (event.target.closest("a") && !wide.matches) details.open = false;
        });
        const links = new Map([...list.querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
        const seen = new IntersectionObserver((entries) => {
            for (const entry of entries) {
                if (!entry.isIntersecting) continue;
                links.forEach((link, id) => link.classList.toggle("here", id === entry.target.id));
            }
        }, { rootMargin: "-10% 0px -75% 0px" });
        links.forEach((_, id) => {
            const heading = document.getElementById(id);
            if (heading) seen.observe(heading);
        });
    }

    // Copying: the code of a listing, or a command.
    const copier = (label, text) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "copy";
        const say = (words, icon) => {
            button.setAttribute("aria-label", page.words(words));
            button.title = page.words(words);
            button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#icon-${icon}"/></svg>`;
        };
        say(label, "copy");
        button.addEventListener("click", async () => {
            try {
                await navigator.clipboard.writeText(text());
                say("Copied", "done");
                setTimeout(() => say(label, "copy"), 1500);
            } catch { /* Not allowed here: the text can still be selected. */ }
        });
        return button;
    };
    if (navigator.clipboard) {
        for (const figure of document.querySelectorAll("figure.listing, figure.code")) {
            const code = figure.querySelector("pre > code");
            if (code) figure.append(copier("Copy the code", () => `${code.textContent.trimEnd()}\n`));
        }
        for (const command of document.querySelectorAll("code.run")) {
            command.after(copier("Copy the command", () => command.textContent));
        }
        for (const command of document.querySelectorAll("figure.console kbd.command")) {
            command.addEventListener("click", () => {
                const chosen = getSelection();
                if (chosen.isCollapsed) chosen.selectAllChildren(command);
            });
        }
    }

    // A system call says what it is when the pointer rests on it. A press, the keyboard and touch need no script.
    {
        let waiting;
        for (const call of document.querySelectorAll("button.call")) {
            const card = document.getElementById(call.getAttribute("popovertarget"));
            if (!card?.showPopover) break;
            const leave = (event) => {
                clearTimeout(waiting);
                if (card.dataset.hovered && !card.contains(event.relatedTarget) && event.relatedTarget !== call) {
                    waiting = setTimeout(() => { delete card.dataset.hovered; card.hidePopover(); }, 250);
                }
            };
            call.addEventListener("pointerenter", (event) => {
                if (event.pointerType !== "mouse") return;
                clearTimeout(waiting);
                waiting = setTimeout(() => {
                    if (card.matches(":popover-open")) return;
                    card.dataset.hovered = "yes";
                    try { card.showPopover({ source: call }); } catch { card.showPopover(); }
                }, 300);
            });
            call.addEventListener("click", () => { clearTimeout(waiting); delete card.dataset.hovered; });
            call.addEventListener("pointerleave", leave);
            card.addEventListener("pointerenter", () => clearTimeout(waiting));
            card.addEventListener("pointerleave", leave);
        }
    }

    // Everything else is loaded when it is seen, or used.
    const load = async (element) => {
        const address = modules[element.dataset.module];
        if (!address) return;
        element.loading ??= import(new URL(address, document.baseURI)).then((module) => {
            module.default(element, page);
            element.dataset.loaded = "ready";
        });
        await element.loading;
    };
    const seen = new IntersectionObserver((entries) => {
        for (const entry of entries) {
            if (!entry.isIntersecting) continue;
            seen.unobserve(entry.target);
            load(entry.target);
        }
    }, { rootMargin: "300px" });
    for (const element of document.querySelectorAll("[data-module]")) {
        if (element.dataset.when === "use") {
            for (const use of ["pointerenter", "focusin"]) {
                element.addEventListener(use, () => load(element), { once: true });
            }
            // A first click that comes before the module is made again when it is there.
            element.addEventListener("click", async (event) => {
                if (element.dataset.loaded === "ready" || event.ctrlKey || event.metaKey || event.shiftKey) return;
                const link = event.target.closest("a");
                if (link) event.preventDefault();
                await load(element);
                if (link) link.click();
            }, { capture: true });
        } else {
            seen.observe(element);
        }
    }
    document.addEventListener("keydown", (event) => {
        const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
        const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
        if (slash || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
            event.preventDefault();
            document.getElementById("search-input").focus();
        }
    });

    // The same place in the other language.
    const other = document.getElementById("language");
    other?.addEventListener("click", () => { if (location.hash) other.hash = location.hash; });

    // A section that has moved to another page.
    const moved = json("moved");
    const follow = () => {
        const id = decodeURIComponent(location.hash.slice(1));
        if (!id || document.getElementById(id)) return;
        const claim = /^claim-(\d\d)-/.exec(id);
        const continued = root.dataset.continued;
        const target = moved[location.hash] ?? (claim && `${root.dataset.root}c/${claim[1]}.html#${id}`)
            ?? (continued && `${continued}#${id}`);
        if (target) location.replace(new URL(target, document.baseURI));
    };
    addEventListener("hashchange", follow);
    follow();
});
