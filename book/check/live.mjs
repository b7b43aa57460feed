// The live book in a real browser: what an honest reader does works, what other pages try is refused.
//
//     node live.mjs [--shots FOLDER]
//
// It works on a copy of the course in target/live, so that no reader's answers or progress are touched, and builds in a
// folder of its own: in the course's, cargo would take what was built of the copy for what the course is.

import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.mjs";
import { attacks } from "./attacks.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), process.env.COURSE ?? "../..");
const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
const copy = path.join(target, "live");
const built = path.join(target, "live-target");
const shots = process.argv[process.argv.indexOf("--shots") + 1];
const wantsShots = process.argv.includes("--shots");
const PATIENCE = Number(process.env.LIVE_PATIENCE ?? 600) * 1000;
const EXERCISE = ["03-sockets-introduction", "network-order"];

/** Copies the course, without what is built or kept. */
async function copyCourse() {
    await rm(copy, { recursive: true, force: true });
    const skip = new Set([".git", ".course", "node_modules", "target", path.basename(target)]);
    await mkdir(copy, { recursive: true });
    for (const part of ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "book", "chapters", "course", "exercises", "solutions"]) {
        await cp(path.join(root, part), path.join(copy, part), {
            recursive: true,
            filter: (source) => !skip.has(path.basename(source)),
        });
    }
    // Whoever has solved it already starts from the stub all the same.
    const [chapter, slug] = EXERCISE;
    await cp(`${copy}/solutions/${chapter}/${slug}/stub/lib.rs`, `${copy}/exercises/${chapter}/${slug}/src/lib.rs`);
}

/** Builds what the server would have built at the first click: a page does not wait that long. */
function build() {
    for (const what of [["build", "--package", "course"], ["test", "--no-run", "--package", EXERCISE[1]]]) {
        const env = { ...process.env, CARGO_TARGET_DIR: built };
        const { status } = spawnSync("cargo", [...what, "--quiet"], { cwd: copy, env, stdio: "inherit" });
        if (status !== 0) throw new Error(`cargo ${what.join(" ")} fails in ${copy}`);
    }
}

/** Starts `cargo book` and waits for the address that it prints. */
async function start() {
    const book = spawn("cargo", ["book"], {
        cwd: copy,
        env: { ...process.env, CARGO_TARGET_DIR: built },
        stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: book.stdout })) {
        const address = line.trim();
        if (address.startsWith("http://127.0.0.1:")) {
            book.stdout.resume();
            return { book, address };
        }
    }
    throw new Error("cargo book ended before it printed its address");
}

/** A page that says what goes wrong on it. */
async function open(browser, address) {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.wrong = [];
    page.on("pageerror", (error) => page.wrong.push(String(error)));
    page.on("console", (message) => {
        if (message.type() === "error") page.wrong.push(message.text());
    });
    await page.goto(address);
    return page;
}

function must(holds, what) {
    if (!holds) throw new Error(what);
}

async function shot(page, name, element) {
    if (!wantsShots) return;
    await mkdir(shots, { recursive: true });
    if (element) await page.$eval(element, (it) => it.scrollIntoView({ block: "start", behavior: "instant" }));
    await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

async function honest(browser, address) {
    const [chapter, slug] = EXERCISE;
    const front = await open(browser, address);
    must(!front.url().includes("token"), `the token is still in the address: ${front.url()}`);
    must(!(await front.evaluate(() => document.cookie)).includes("book-"), "a script can read the cookie");
    await front.close();

    const origin = new URL(address).origin;
    // A chapter that is divided has its exercises on the page where it goes on.
    const page = await open(browser, `${origin}/${chapter}-continued.html`);
    const card = `[data-exercise="${slug}"]`;
    await page.waitForSelector(`${card} .live-bar button`);
    await shot(page, "card-before", card);
    await page.click(`${card} .live-bar button`);
    await shot(page, "card-grading", card);
    await page.waitForSelector(`${card} .headline.fails`);
    const message = await page.$eval(`${card} .verdict details[open] pre.message`, (it) => it.textContent);
    must(message.includes("expected"), `a failure without its message: ${message}`);
    await page.waitForSelector(`${card}[data-standing="new"], ${card}[data-standing="failing"]`);
    await shot(page, "card-failed", card);

    const answer = await readFile(`${copy}/solutions/${chapter}/${slug}/src/lib.rs`);
    const saved = Date.now();
    await writeFile(`${copy}/exercises/${chapter}/${slug}/src/lib.rs`, answer);
    await page.waitForSelector(`${card} .headline.passes`);
    const took = Date.now() - saved;
    await page.waitForSelector(`${card}[data-standing="done"]`);
    await page.waitForSelector(`#contents a[data-progress^="1/"]`);
    await shot(page, "card-passed", card);

    const trial = await open(browser, `${origin}/appendix-on-trial.html`);
    const row = "tr[data-claim]:has(button)";
    await trial.waitForSelector(`${row} button`);
    await trial.$eval(`${row} button`, (button) => button.click());
    await trial.waitForSelector("tr[data-claim] .here.same, tr[data-claim] .here.not-run");
    await shot(trial, "claim-run", row);
    page.wrong.push(...trial.wrong);
    await trial.close();
    await page.bringToFront();

    must(page.wrong.length === 0, `the page complains: ${page.wrong.join("; ")}`);
    console.log(`honest use: a stub fails with its message, a saved solution passes, a claim runs; ${took} ms from save to verdict`);
    return page;
}

const { book, address } = await copyCourse().then(build).then(start);
// Chromium's own guard of local addresses is off: other browsers have none, and the book's own is to be tried.
const browser = await launch(
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,BlockInsecurePrivateNetworkRequests",
);
let failed = true;
try {
    const page = await honest(browser, address);
    await attacks(browser, page, new URL(address), createServer);
    failed = false;
} catch (error) {
    for (const page of await browser.pages()) console.error(`${page.url()}: ${page.wrong?.join("; ") ?? ""}`);
    console.error(`live book: ${error.stack ?? error}`);
} finally {
    await browser.close();
    const ended = new Promise((resolve) => book.on("exit", resolve));
    book.kill("SIGINT");
    await ended;
}
process.exit(failed ? 1 : 0);
