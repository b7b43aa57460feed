// What other pages in the reader's browser try, while the reader's cookie is in it. Nothing may run, and nothing may be
// read. What needs no browser (other hosts, odd paths, slow clients) is in course/weave/tests/live.rs.

const RUN = "/.book/run";
const BODY = JSON.stringify({ exercise: "network-order" });

/** In the attacker's page: each tries its worst and says what it got to know, or why not. */
const TRIES = {
    "fetch, no-cors, text": async (victim, run, body) =>
        // An opaque answer has no text.
        (await fetch(victim + run, { method: "POST", mode: "no-cors", credentials: "include", body })).text(),
    "fetch, JSON": async (victim, run, body) =>
        (await fetch(victim + run, { method: "POST", credentials: "include", headers: { "Content-Type": "application/json", "X-Book": "0" }, body })).text(),
    "beacon": async (victim, run, body) =>
        navigator.sendBeacon(victim + run, new Blob([body], { type: "text/plain" })) ? "opaque" : "not sent",
    "form": (victim, run, body) => new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.name = "sink";
        document.body.append(frame);
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: victim + run, enctype: "text/plain", target: "sink" });
        const input = document.createElement("input");
        Object.assign(input, { name: body, value: "" });
        form.append(input);
        document.body.append(form);
        frame.addEventListener("load", () => {
            let read = null;
            try { read = frame.contentDocument; } catch { /* Another origin's. */ }
            if (read?.URL === "about:blank") return;
            resolve(read ? read.body.textContent : "opaque");
        });
        form.submit();
    }),
    "image": (victim, run) => new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve("an image!");
        image.onerror = () => resolve("opaque");
        image.src = `${victim}${run}?exercise=network-order`;
    }),
    "script": (victim) => new Promise((resolve) => {
        const script = document.createElement("script");
        script.onload = () => resolve("it ran!");
        script.onerror = () => resolve("opaque");
        script.src = `${victim}/.book/live.js`;
        document.body.append(script);
    }),
    "EventSource": (victim) => new Promise((resolve) => {
        const events = new EventSource(`${victim}/.book/events`, { withCredentials: true });
        events.onmessage = (event) => resolve(event.data);
        events.onerror = () => { events.close(); resolve("opaque"); };
    }),
    "WebSocket": (victim) => new Promise((resolve) => {
        const socket = new WebSocket(`${victim.replace("http", "ws")}/.book/events`);
        socket.onopen = () => resolve("open!");
        socket.onerror = () => resolve("opaque");
    }),
    "read a page": async (victim) => (await fetch(`${victim}/`, { credentials: "include" })).text(),
    "frame": (victim) => new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.onload = () => {
            try { resolve(frame.contentDocument.body.textContent); } catch { resolve("opaque"); }
        };
        frame.src = `${victim}/`;
        document.body.append(frame);
    }),
    "window": (victim) => new Promise((resolve) => {
        const other = open(`${victim}/`);
        if (!other) return resolve("opaque");
        const wait = () => {
            try {
                if (other.closed) return resolve("opaque");
                const text = other.document.body?.textContent;
                if (text) return resolve(text);
            } catch { return resolve("opaque"); }
            setTimeout(wait, 20);
        };
        wait();
    }),
};

/** Runs all of them from three places; throws when one of them got anywhere. */
export async function attacks(browser, reader, address, createServer) {
    const victim = address.origin;
    const server = createServer((_, response) => {
        response.writeHead(200, { "Content-Type": "text/html" });
        response.end("<!DOCTYPE html><title>attacker</title><body></body>");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const port = server.address().port;
    const places = [
        ["another site", `http://evil.test:${port}/`, victim],
        ["another port", `http://127.0.0.1:${port}/`, victim],
        // The name that led to the attacker's server leads to ours by now.
        ["rebinding", `http://evil.test:${address.port}/attacker`, `http://evil.test:${address.port}`],
    ];
    const before = await job(reader);
    const wrong = [];
    console.log(`\n${"".padEnd(22)}${places.map(([name]) => name.padEnd(22)).join("")}`);
    for (const [name, attempt] of Object.entries(TRIES)) {
        const cells = [];
        for (const [place, start, aim] of places) {
            const [cell, got] = await tryIt(browser, start, aim, attempt);
            cells.push(cell);
            if (got) wrong.push(`${name} from ${place}: ${got}`);
        }
        console.log(name.padEnd(22) + cells.map((cell) => cell.padEnd(22)).join(""));
    }
    server.close();
    const after = await job(reader);
    if (after !== before + 1) wrong.push(`${after - before - 1} jobs ran that nobody may ask for`);
    if (wrong.length > 0) throw new Error(`attacks that got somewhere:\n${wrong.join("\n")}`);
    console.log(`\nall refused, nothing ran; the reader's own page ran job ${after}`);
}

async function tryIt(browser, start, aim, attempt) {
    const page = await browser.newPage();
    const statuses = [];
    page.on("response", (response) => {
        if (response.url().startsWith(aim) && response.url() !== start) statuses.push(response.status());
    });
    if (start.endsWith("/attacker")) {
        await page.setRequestInterception(true);
        page.on("request", (request) => request.url() === start
            ? request.respond({ contentType: "text/html", body: "<!DOCTYPE html><title>attacker</title><body></body>" })
            : request.continue());
    }
    await page.goto(start);
    const got = await page.evaluate(
        `(${attempt})(${JSON.stringify(aim)}, ${JSON.stringify(RUN)}, ${JSON.stringify(BODY)}).then(String, () => "blocked")`,
    );
    for (const other of await browser.pages()) {
        if (other.url().startsWith(aim) && other.opener?.() === page) await other.close();
    }
    await page.close();
    const accepted = statuses.filter((status) => status < 400);
    const known = !["opaque", "blocked", "not sent", ""].includes(got);
    // A refusal may be read where it is the attacker's own name that is refused.
    const refusal = known && /another host's address|Another site's page/.test(got);
    const cell = `${refusal ? "refused" : got} ${[...new Set(statuses)].join(" ")}`;
    const reached = (known && !refusal) || (accepted.length > 0 && !String(attempt).includes("open(`"));
    return [cell, reached ? `got ${got.slice(0, 80)}, answers ${statuses}` : ""];
}

/** Has the reader's own page run something, and says the number that it had. */
function job(page) {
    return page.evaluate(async (body) => {
        const key = document.querySelector('meta[name="book"]').content;
        const events = new EventSource("/.book/events");
        try {
            return await new Promise((resolve, reject) => {
                let last = null;
                events.onerror = () => reject(new Error("the stream ended"));
                events.onmessage = async (event) => {
                    const message = JSON.parse(event.data);
                    if (message.kind === "hello") {
                        last = message.jobs;
                        const answer = await fetch("/.book/run", {
                            method: "POST",
                            headers: { "Content-Type": "application/json", "X-Book": key },
                            body,
                        });
                        if (!answer.ok) reject(new Error(await answer.text()));
                    } else if (message.kind === "done" && message.job > last) resolve(message.job);
                };
            });
        } finally {
            events.close();
        }
    }, BODY);
}
