// Starts the Chromium that the machine has.

import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";

export const chromium = () => {
    const places = [process.env.CHROME_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    const found = places.find((place) => place && existsSync(place));
    if (!found) throw new Error("no Chromium: install it, or say in CHROME_PATH where it is");
    return found;
};

// Nothing leaves the machine: no name but the server's address is resolved.
export const flags = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export const launch = (...more) =>
    puppeteer.launch({ executablePath: chromium(), args: [...flags, ...more], headless: true, protocolTimeout: 300_000 });
