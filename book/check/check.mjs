// Looks at every page of the built book as a reader's browser does: node check.mjs SITE [--only=TEXT] [--no-lighthouse]
//
// For each page: no violation that axe finds (light and dark, 320 and 1280 pixels wide), nothing wider than the page at
// 320 pixels nor with text at 200 %, at most 60 KB and 6 requests, none of them to another host, nothing moves while it loads, no error in the
// console. Lighthouse (mobile): performance at least 98, accessibility, best practices and search engines 100.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { chromium, flags, launch } from "./browser.mjs";
import { pages, serve } from "./site.mjs";

// Lighthouse times its host's processor. What one that is slower or has other work measures is shown, and decides nothing:
// weight, requests and shifts are counted above, and do not depend on it.
const LIMIT = { bytes: 60 * 1024, requests: 6, performance: 98, processor: 1000 };

const words = process.argv.slice(2);
const folder = words.find((word) => !word.startsWith("--"));
if (!folder) {
    console.error("usage: node check.mjs SITE [--only=TEXT] [--no-lighthouse] [--lighthouse=TEXT]");
    process.exit(2);
}
const value = (name) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = value("only") ?? "";
const wrong = [];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const server = await serve(folder);
const names = (await pages(folder)).filter((name) => name.includes(only));
if (names.length === 0) wrong.push(`there is no page in ${folder}`);
const started = Date.now();
const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;

/** What a first visit loads, and whether anything moves. */
async function weigh(browser, name) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const requests = [];
    const devtools = await page.createCDPSession();
    await devtools.send("Network.enable");
    devtools.on("Network.requestWillBeSent", ({ requestId, request }) => requests.push({ requestId, url: request.url, bytes: 0 }));
    devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
        const found = requests.find((request) => request.requestId === requestId);
        if (found) found.bytes = encodedDataLength;
    });
    page.on("pageerror", (error) => wrong.push(`${name}: a script fails: ${error.message}`));
    page.on("console", (message) => { if (message.type() === "error") wrong.push(`${name}: the console says: ${message.text()}`); });
    await page.evaluateOnNewDocument(() => {
        window.moved = 0;
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.moved += entry.value; })
            .observe({ type: "layout-shift", buffered: true });
    });
    await page.setViewport({ width: 390, height: 800 });
    await page.goto(`${server.address}/${name}`, { waitUntil: "networkidle0" });
    const moved = await page.evaluate(() => window.moved);
    const bytes = requests.reduce((sum, request) => sum + request.bytes, 0);
    const foreign = requests.filter(({ url }) => !url.startsWith(server.address) && !url.startsWith("data:"));
    if (bytes > LIMIT.bytes) wrong.push(`${name}: ${(bytes / 1024).toFixed(1)} KB, more than 60`);
    if (requests.length > LIMIT.requests) wrong.push(`${name}: ${requests.length} requests, more than 6`);
    if (moved > 0.001) wrong.push(`${name}: the layout shifts by ${moved.toFixed(3)}`);
    for (const { url } of foreign) wrong.push(`${name}: asks another host: ${url}`);
    await context.close();
    return { bytes, requests: requests.length, moved };
}

/** What does not fit, and what axe says, in each way to look at a page. */
async function look(page, name) {
    let found = 0;
    // All rules at each width and in each scheme, the dear ones not in all four ways.
    const colors = ["color-contrast", "link-in-text-block"];
    const ways = [[320, "light", null], [320, "dark", colors], [1280, "light", colors], [1280, "dark", null]];
    for (const [width, scheme, rules] of ways) {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
        if (scheme === "light") {
            await page.goto(`${server.address}/${name}`, { waitUntil: "load" });
            await page.evaluate(axe);
        }
        const where = `${name} at ${width} px, ${scheme}`;
        if (scheme === "light" && width === 320) {
            const wide = (text) => page.evaluate((text) => {
                document.documentElement.style.fontSize = text;
                const over = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
                document.documentElement.style.fontSize = "";
                return over;
            }, text);
            const over = await wide("");
            if (over > 0) wrong.push(`${where}: ${over} px wider than the screen`);
        }
        if (scheme === "light" && width === 1280) {
            const over = await page.evaluate(() => {
                document.documentElement.style.fontSize = "200%";
                const over = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
                document.documentElement.style.fontSize = "";
                return over;
            });
            if (over > 0) wrong.push(`${where}, text at 200 %: ${over} px wider than the screen`);
        }
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
        const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: tags };
        const result = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }), runOnly);
        for (const violation of result.violations) {
            found += 1;
            const at = violation.nodes.slice(0, 2).map((node) => `${node.target.join(" ")}  ${node.html.slice(0, 120)}`);
            wrong.push(`${where}: axe: ${violation.id} (${violation.nodes.length} times): ${violation.help}\n      ${at.join("\n      ")}`);
        }
    }
    return found;
}

/** Lighthouse's four scores. Performance may be tried again, because the machine may have other work. */
async function judge(names) {
    const { default: lighthouse } = await import("lighthouse");
    const { launch: start } = await import("chrome-launcher");
    for (const name of names) {
        let best;
        let calm = false;
        for (let attempt = 0; attempt < 4 && !(best?.performance >= LIMIT.performance); attempt += 1) {
            const quiet = loadavg()[0] <= availableParallelism() + 0.5;
            const chrome = await start({ chromePath: chromium(), chromeFlags: ["--headless=new", ...flags], logLevel: "silent" });
            try {
                const run = await lighthouse(`${server.address}/${name}`, { port: chrome.port, logLevel: "silent", output: "json", throttlingMethod: "simulate" });
                const of = (category) => Math.round((run.lhr.categories[category].score ?? 0) * 100);
                const scores = { performance: of("performance"), accessibility: of("accessibility"), "best-practices": of("best-practices"), seo: of("seo") };
                calm ||= quiet && run.lhr.environment.benchmarkIndex >= LIMIT.processor;
                if (!best || scores.performance > best.performance) best = scores;
                if (attempt === 0) {
                    for (const category of ["accessibility", "best-practices", "seo"]) {
                        if (scores[category] === 100) continue;
                        const audits = run.lhr.categories[category].auditRefs.map((ref) => run.lhr.audits[ref.id]);
                        const low = audits.filter((audit) => audit.score !== null && audit.score < 1).map((audit) => audit.id);
                        wrong.push(`${name}: Lighthouse ${category} ${scores[category]}: ${low.join(", ")}`);
                    }
                }
            } finally {
                chrome.kill();
            }
        }
        const slow = best.performance < LIMIT.performance;
        if (slow && calm) wrong.push(`${name}: Lighthouse performance ${best.performance}, less than ${LIMIT.performance}, in four runs`);
        const busy = slow && !calm ? "; the machine is slow or has other work, so performance is not judged" : "";
        console.log(`${name.padEnd(52)} Lighthouse ${Object.values(best).join(" ")}${busy}`);
    }
}

// Pages that were published once are found for ever: by themselves, or by a redirect of book.toml's.
const listed = (await readFile(new URL("pages.txt", import.meta.url), "utf8")).split("\n").filter((line) => line && !line.startsWith("#"));
for (const name of listed) {
    if (!existsSync(path.join(folder, name))) wrong.push(`${name} is gone: add a redirect to [output.html.redirect] in book.toml`);
}
for (const name of names) {
    if (!listed.includes(name)) wrong.push(`${name} is new: add it to book/check/pages.txt`);
}

const browser = await launch();
const page = await browser.newPage();
await page.setBypassCSP(true);
for (const name of names) {
    const { bytes, requests, moved } = await weigh(browser, name);
    const violations = await look(page, name);
    console.log(`${name.padEnd(52)} ${(bytes / 1024).toFixed(1).padStart(5)} KB ${requests} requests, shift ${moved.toFixed(3)}, axe ${violations}`);
}
await browser.close();
console.log(`${names.length} pages, ${seconds()}`);
if (!words.includes("--no-lighthouse")) {
    const chosen = value("lighthouse");
    // Claims and exercises have one page each that is like the others: the first of each is enough.
    const first = (start) => names.filter((name) => name.startsWith(start)).slice(0, 1);
    const all = names.filter((name) => name !== "404.html" && !/(^|\/)[ce]\//.test(name));
    await judge(chosen ? names.filter((name) => name.includes(chosen)) : [...all, ...first("c/"), ...first("e/")]);
    console.log(`Lighthouse, ${seconds()}`);
}
await server.close();
if (wrong.length > 0) {
    console.error(`\n${wrong.length} things are wrong:`);
    for (const what of wrong) console.error(`  - ${what}`);
    process.exit(1);
}
console.log("nothing is wrong");
