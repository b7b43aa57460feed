// Plays every drawing of the book: node diagrams.mjs SITE
//
// What a step shows must be what the table's row says, with and without a mouse, in both color schemes, on a phone; and without
// scripts the drawings must be whole.

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { launch } from "./browser.mjs";
import { serve } from "./site.mjs";

const site = process.argv[2];
if (!site) {
    console.error("usage: node diagrams.mjs SITE");
    process.exit(2);
}
const wrong = [];
const demand = (holds, what) => { if (!holds) wrong.push(what); };
const server = await serve(site);
const browser = await launch();

const open = async (name, { width = 1280, scheme = "light", still = true, script = true } = {}) => {
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(script);
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: still ? "reduce" : "no-preference" },
    ]);
    page.on("pageerror", (error) => wrong.push(`${name}: ${error.message}`));
    await page.goto(`${server.address}/${name}`, { waitUntil: "load" });
    return page;
};

/** A figure, once it is seen and its script is there. */
const ready = async (page, id) => {
    await page.$eval(`#${id}`, (figure) => figure.scrollIntoView({ block: "center", behavior: "instant" }));
    await page.waitForSelector(`#${id}.ready`);
};

/** What a figure shows, and what it should show by its table. */
const look = (page, id) => page.$eval(`#${id}`, (figure) => {
    const heads = [...figure.querySelectorAll("details th")];
    const ends = heads.flatMap((head, at) => (head.className === "end" ? [at] : []));
    const rows = [...figure.querySelectorAll("details tbody tr")];
    const now = rows.findIndex((row) => row.classList.contains("now"));
    const lit = (end) => {
        const boxes = [...figure.querySelectorAll(`[data-state].${end}`)];
        return boxes.map((box) => box.dataset.state);
    };
    const seen = (part) => getComputedStyle(part).opacity !== "0";
    return {
        now,
        last: rows.length - 1,
        said: figure.querySelector(".said").textContent,
        ends: [...figure.querySelectorAll(".ends b")].map((state) => state.textContent),
        wanted: now < 0 ? [] : ends.map((at) => rows[now].cells[at].textContent),
        shown: [...figure.querySelectorAll("[data-f]")].every((part) => seen(part) === (now < 0 || Number(part.dataset.f) <= now)),
        lit: figure.querySelector("[data-state]") ? [...lit("a"), ...lit("b")] : null,
        window: figure.querySelector(".strip .flight")?.getAttribute("width"),
    };
});

const press = (page, id, what) => page.$eval(`#${id} [data-do=${what}]`, (button) => button.click());

const plays = async (page, id) => {
    await ready(page, id);
    const whole = await look(page, id);
    demand(whole.now === -1 && whole.shown && whole.said === "", `${id}: at first all is shown`);
    const windows = new Set();
    for (let step = 0; step <= whole.last; step++) {
        await press(page, id, "step");
        const at = await look(page, id);
        demand(at.now === step, `${id}: step ${step} shows ${at.now}`);
        demand(at.said.startsWith(`${step}/${whole.last} `), `${id}: step ${step} says ${at.said}`);
        demand(at.ends.join() === at.wanted.join(), `${id}: step ${step}: ${at.ends}, not ${at.wanted}`);
        demand(at.shown, `${id}: step ${step} shows other frames`);
        demand(!at.lit || at.lit.join() === at.wanted.join(), `${id}: step ${step} lights ${at.lit}, not ${at.wanted}`);
        windows.add(at.window);
    }
    demand(!id.startsWith("window") || windows.size > 5, `${id}: the window does not move`);
    await press(page, id, "back");
    demand((await look(page, id)).now === whole.last - 1, `${id}: back`);
    await press(page, id, "all");
    demand((await look(page, id)).now === -1, `${id}: all`);
    // The same by keyboard.
    await page.focus(`#${id} [data-do=step]`);
    for (const [key, wanted] of [["Enter", 0], ["ArrowRight", 1], ["ArrowRight", 2], ["ArrowLeft", 1], ["Escape", -1]]) {
        await page.keyboard.press(key);
        const { now } = await look(page, id);
        demand(now === wanted, `${id}: ${key} shows ${now}, not ${wanted}`);
    }
    // On its own, until it is stopped.
    await press(page, id, "play");
    await page.waitForFunction((id) => document.querySelectorAll(`#${id} tbody tr`)[1].classList.contains("now"), {}, id);
    await press(page, id, "play");
    const stopped = await page.$eval(`#${id} [data-do=play]`, (button) => button.textContent !== button.dataset.pause);
    demand(stopped, `${id}: pause`);
    return whole.last;
};

/** Texts of drawings whose contrast is below 4.5. */
const faint = (page) => page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (color) => {
        const [r, g, b] = rgb(color).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = getComputedStyle(document.body).backgroundColor;
    return [...document.querySelectorAll("figure.diagram svg :is(text, tspan)")].flatMap((text) => {
        const box = text.closest("[data-state]")?.querySelector("rect");
        const [one, other] = [getComputedStyle(text).fill, box ? getComputedStyle(box).fill : paper].map(light).sort((a, b) => b - a);
        const ratio = (one + 0.05) / (other + 0.05);
        return ratio < 4.5 ? [`${text.closest("figure").id} ${text.textContent} ${ratio.toFixed(1)}`] : [];
    });
});

const box = async (page) => {
    const id = await page.$eval("figure.bytes", (figure) => figure.id);
    await page.$eval(`#${id}`, (figure) => figure.scrollIntoView({ block: "center", behavior: "instant" }));
    await page.waitForFunction((id) => document.getElementById(id).classList.contains("ready"), {}, id);
    const rows = () => page.$$eval(`#${id} tr`, (rows) => rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent).join("")));
    const type = async (text) => {
        await page.$eval(`#${id} input`, (input) => { input.value = ""; });
        await page.type(`#${id} input`, text);
    };
    await type("258");
    demand((await rows()).join() === "0201,0102,0102", `${id}: 258 is ${await rows()}`);
    await page.select(`#${id} select`, "32");
    demand((await rows()).join() === "02010000,00000102,00000102", `${id}: 258 in 32 bits is ${await rows()}`);
    const sum = () => page.$eval(`#${id} .sum`, (sum) => sum.textContent);
    demand((await sum()).includes("33619968 = 0x02010000"), `${id}: ${await sum()}`);
    for (const [text, is] of [["-1", "true"], ["4294967296", "true"], ["x", "true"], ["0xff", "false"]]) {
        await type(text);
        const invalid = await page.$eval(`#${id} input`, (input) => input.getAttribute("aria-invalid"));
        demand(invalid === is, `${id}: ${text} is invalid: ${invalid}`);
    }
};

const names = (await readdir(site, { recursive: true })).filter((name) => name.endsWith(".html"));
let count = 0;
for (const name of names) {
    if (!(await readFile(path.join(site, name), "utf8")).includes("<figure class=\"diagram")) continue;
    const page = await open(name);
    const ids = await page.$$eval("figure.diagram[data-module=play]", (figures) => figures.map((figure) => figure.id));
    for (const id of ids) {
        const steps = await plays(page, id);
        console.log(`${name}#${id}: ${steps} steps`);
        count += 1;
    }
    if (await page.$("figure.bytes")) await box(page);
    for (const text of await faint(page)) wrong.push(`too faint on light: ${text}`);
    await page.close();
    if (ids.length === 0) continue;

    const phone = await open(name, { width: 320, scheme: "dark" });
    for (const text of await faint(phone)) wrong.push(`too faint on dark: ${text}`);
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
    demand(wide <= 320, `${name} is ${wide} wide on a phone`);
    for (const id of ids) await ready(phone, id);
    await phone.close();

    const plain = await open(name, { script: false });
    const hidden = await plain.$$eval("figure.diagram", (figures) => figures.filter((figure) => {
        const shown = (element) => element && element.checkVisibility();
        const parts = [...figure.querySelectorAll("[data-f]")];
        return shown(figure.querySelector(".player, .ask")) || !figure.querySelector("table")
            || !shown(figure.querySelector("svg") ?? figure.querySelector("table")) || parts.some((part) => getComputedStyle(part).opacity === "0");
    }).map((figure) => figure.id));
    demand(hidden.length === 0, `not whole without scripts: ${hidden}`);
    await plain.close();
}
demand(count > 0, "no drawing plays on any page");
await browser.close();
await server.close();
if (wrong.length > 0) {
    console.error(wrong.join("\n"));
    process.exit(1);
}
console.log(`${count} drawings play as their tables say`);
