// Takes pictures of pages: node shots.mjs SITE OUT page.html[#id] … [--widths=320,1280] [--dark] [--full] [--print]

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { launch } from "./browser.mjs";
import { serve } from "./site.mjs";

const options = process.argv.slice(2).filter((word) => word.startsWith("--"));
const [site, out, ...names] = process.argv.slice(2).filter((word) => !word.startsWith("--"));
if (!site || !out || names.length === 0) {
    console.error("usage: node shots.mjs SITE OUT page.html[#id] … [--widths=320,1280] [--dark] [--full] [--print]");
    process.exit(2);
}
const has = (name) => options.includes(`--${name}`);
const widths = (options.find((word) => word.startsWith("--widths="))?.slice(9) ?? "390,1280").split(",").map(Number);
const server = await serve(site);
const browser = await launch();
await mkdir(out, { recursive: true });
for (const name of names) {
    for (const width of widths) {
        const page = await browser.newPage();
        await page.setViewport({ width, height: width < 600 ? 800 : 900 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: has("dark") ? "dark" : "light" }, { name: "prefers-reduced-motion", value: "reduce" }]);
        await page.goto(`${server.address}/${name}`, { waitUntil: "networkidle0" });
        const base = `${name.replace(/\W+/g, "-")}-${width}${has("dark") ? "-dark" : ""}`;
        if (has("print")) await page.pdf({ path: path.join(out, `${base}.pdf`), format: "A4", printBackground: true });
        else await page.screenshot({ path: path.join(out, `${base}.png`), fullPage: has("full") });
        await page.close();
    }
}
await browser.close();
await server.close();
