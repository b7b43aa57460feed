// Searches in every language of the book, as a reader does: node search.mjs SITE
//
// What search.json says must be among the first three, by keyboard alone, on a phone and on a wide screen.

import { readFile } from "node:fs/promises";
import { launch } from "./browser.mjs";
import { serve } from "./site.mjs";

const site = process.argv[2];
if (!site) {
    console.error("usage: node search.mjs SITE");
    process.exit(2);
}
const languages = JSON.parse(await readFile(new URL("search.json", import.meta.url)));
const wrong = [];
const demand = (holds, what) => { if (!holds) wrong.push(what); };
const server = await serve(site);
const browser = await launch();

for (const [language, queries] of Object.entries(languages)) {
    const folder = language === "en" ? "" : `${language}/`;
    const page = await browser.newPage();
    page.on("pageerror", (error) => wrong.push(`${language}: ${error.message}`));
    await page.setViewport({ width: Object.keys(queries).length % 2 ? 320 : 1280, height: 800 });
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${server.address}/${folder}index.html`, { waitUntil: "load" });
    demand(!asked.some((address) => /search/.test(address)), `${language}: something of search is loaded before it is used`);
    for (const [query, place] of Object.entries(queries)) {
        const said = `${language}: ${query}`;
        await page.keyboard.press("Escape");
        await page.$eval("#search-input", (input) => { input.value = ""; input.blur(); });
        await page.keyboard.press("/");
        await page.waitForFunction(() => document.activeElement?.id === "search-input" && document.activeElement.role === "combobox");
        await page.type("#search-input", query);
        // The last letter's results, not those of an earlier one.
        await page.waitForFunction((query) => document.getElementById("search-results").dataset.query === query, {}, query);
        const first = await page.$$eval("#search-list > a", (links) => links.slice(0, 3).map((link) => link.href));
        // A long chapter goes on on further pages, whose names begin as the first one's does.
        const [file, id] = place.split("#");
        const is = (address) => address.startsWith(`${server.address}/${folder}${file}`) && address.endsWith(`#${id}`);
        demand(first.some(is), `${said}: ${first.join(" ")}`);
        const looks = await page.evaluate(() => {
            const box = document.getElementById("search-results").getBoundingClientRect();
            const input = document.getElementById("search-input");
            return {
                fits: box.left >= 0 && box.right <= innerWidth,
                marked: document.querySelector("#search-list mark") !== null,
                active: document.getElementById(input.getAttribute("aria-activedescendant"))?.getAttribute("aria-selected"),
                expanded: input.getAttribute("aria-expanded"),
                status: document.querySelector("#search [role=status]").textContent,
            };
        });
        demand(looks.fits, `${said}: the results leave the screen`);
        demand(looks.marked, `${said}: nothing is marked`);
        demand(looks.active === "true" && looks.expanded === "true" && /\d/.test(looks.status), `${said}: ${JSON.stringify(looks)}`);
    }
    // Down, up, and Enter goes there.
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    const goal = await page.$eval("#search-list > a", (link) => link.href);
    await page.keyboard.press("Enter");
    await page.waitForFunction((goal) => location.href === goal, {}, goal);
    await page.waitForFunction(() => document.readyState === "complete");
    await page.close();
}
await browser.close();
server.close();
wrong.forEach((what) => console.error(what));
console.log(wrong.length ? `${wrong.length} wrong` : "search: all found");
process.exit(wrong.length ? 1 : 0);
