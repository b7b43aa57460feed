// Plays a drawing, step by step. The table below it has the steps: a row for each, with the state of both ends in the columns "end".
// Of the drawing, what has `data-f` is there from that step on; `data-state` and `data-e` are lit, and `data-w` moves the window.

const PACE = 1300;

export default function play(figure, page) {
    const bar = figure.querySelector(".player");
    const rows = [...figure.querySelectorAll("details tbody tr")];
    const heads = [...figure.querySelectorAll("details th")];
    const ends = heads.flatMap((head, at) => (head.className === "end" ? [at] : []));
    const parts = [...figure.querySelectorAll("[data-f]")];
    const said = bar.querySelector(".said");
    const button = (what) => bar.querySelector(`[data-do=${what}]`);
    const playing = button("play");
    const words = [playing.textContent, playing.dataset.pause];
    const last = rows.length - 1;
    // Until the reader begins, all is shown.
    let now = null;
    let timer = 0;

    const text = (row, at) => rows[row].cells[at].textContent;
    const states = (row) => ends.map((at) => text(row, at));

    const show = () => {
        figure.classList.toggle("playing", now !== null);
        for (const part of parts) {
            const step = Number(part.dataset.f);
            part.classList.toggle("later", now !== null && step > now);
            part.classList.toggle("now", now !== null && step === now && step > 0);
        }
        rows.forEach((row, at) => row.classList.toggle("now", at === now));
        light();
        const shown = bar.querySelector(".ends");
        shown.replaceChildren();
        if (now === null) {
            said.textContent = "";
            return;
        }
        ends.forEach((at, end) => {
            const host = document.createElement("span");
            host.className = "ab"[end];
            const state = document.createElement("b");
            state.textContent = text(now, at);
            host.append(`${heads[at].textContent} `, state);
            shown.append(host);
        });
        // A number alone would not say what it counts.
        const rest = [...rows[now].cells].flatMap((cell, at) => {
            const words = cell.textContent.trim();
            if (at === 0 || ends.includes(at) || !words) return [];
            return /^\d+$/.test(words) && now > 0 ? [`${heads[at].textContent}: ${words}`] : [words];
        });
        said.textContent = `${now}/${last} ${(now > 0 ? rest : rest.slice(0, 1)).join(", ")}`;
        const part = parts.find((part) => Number(part.dataset.f) === now);
        part?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: page.still ? "auto" : "smooth" });
    };

    // The states that both ends are in, and the ways that they took last.
    const light = () => {
        const at = now === null ? [] : states(now);
        const before = now ? states(now - 1) : at;
        const left = (end) => rows.slice(0, now ?? 0).some((_, row) => text(row, ends[end]) !== "CLOSED");
        for (const box of figure.querySelectorAll("[data-state]")) {
            at.forEach((state, end) => {
                const closed = state !== "CLOSED" || left(end) === ("end" in box.dataset);
                box.classList.toggle("ab"[end], box.dataset.state === state && closed);
            });
            if (now === null) box.classList.remove("a", "b");
        }
        const ways = [...figure.querySelectorAll("[data-e]")].map((way) => [way, ...way.dataset.e.split(" ")]);
        for (const [way, from, to] of ways) {
            // One segment may lead on by two ways.
            const leads = (from, to) => ways.some(([, a, b]) => a === from && b === to);
            way.classList.toggle("now", at.some((state, end) => {
                const last = before[end];
                if (state === last) return false;
                if (from === last && to === state) return true;
                if (leads(last, state) || !way.querySelector(`path.${"ab"[end]}`)) return false;
                return (from === last && leads(to, state)) || (to === state && leads(last, from));
            }));
        }
        slide();
    };

    // The window on the strip of the whole stream: what is done, in flight, and may be sent.
    const strip = figure.querySelector(".strip");
    const slide = () => {
        if (!strip || now === null) return;
        const [done, sent, edge] = rows[now].dataset.w.split(" ").map(Number);
        const { from, scale } = strip.dataset;
        for (const [name, start, end] of [["done", 0, done], ["flight", done, sent], ["room", sent, edge]]) {
            const part = strip.querySelector(`.${name}`);
            part.setAttribute("x", Number(from) + start * scale);
            part.setAttribute("width", Math.max(0, end - start) * scale);
        }
    };

    const stop = () => {
        clearInterval(timer);
        timer = 0;
        playing.textContent = words[0];
    };
    const go = (step) => {
        now = Math.max(0, Math.min(last, step));
        if (now === last) stop();
        show();
    };
    const acts = {
        back: () => { stop(); go((now ?? last + 1) - 1); },
        step: () => { stop(); go(now === null || now === last ? 0 : now + 1); },
        all: () => { stop(); now = null; show(); },
        play: () => {
            if (timer) return stop();
            go(now === null || now === last ? 0 : now + 1);
            playing.textContent = words[1];
            timer = setInterval(() => go(now + 1), PACE);
        },
    };
    bar.addEventListener("click", (event) => acts[event.target.dataset.do]?.());
    bar.addEventListener("keydown", (event) => {
        const act = { ArrowLeft: "back", ArrowRight: "step", Escape: "all" }[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        acts[act]();
    });
    figure.classList.add("ready");
}
