// Serves a built book on loopback as a plain web host does: files, gzip, `x/` for `x/index.html`, 404.html for the rest.

import { createReadStream } from "node:fs";
import { readFile, readdir, realpath } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8", ".pdf": "application/pdf", ".epub": "application/epub+zip",
};
const PACKED = new Set([".html", ".css", ".js", ".json", ".svg", ".xml", ".txt"]);

/** Starts the server; `under` is the path it is published at, such as "/runnable-sockets". */
export async function serve(folder, under = "") {
    const root = await realpath(folder);
    const packed = new Map();
    const body = async (file) => {
        if (!packed.has(file)) packed.set(file, gzipSync(await readFile(file), { level: 6 }));
        return packed.get(file);
    };
    const server = createServer(async (request, response) => {
        try {
            let name = decodeURIComponent(new URL(request.url, "http://book").pathname);
            name = name.startsWith(under) ? name.slice(under.length) : "/404.html";
            if (name.endsWith("/")) name += "index.html";
            let file = path.join(root, name);
            let status = 200;
            file = await realpath(file).catch(() => {
                status = 404;
                return path.join(root, "404.html");
            });
            if (!file.startsWith(root + path.sep)) throw new Error("outside");
            const ending = path.extname(file);
            const headers = {
                "Content-Type": TYPES[ending] ?? "application/octet-stream",
                "Cache-Control": "max-age=600",
                // What the live book sends, so that a page that needs more is noticed here.
                "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
                "X-Content-Type-Options": "nosniff",
            };
            if (PACKED.has(ending)) {
                const bytes = await body(file);
                response.writeHead(status, { ...headers, "Content-Encoding": "gzip", "Content-Length": bytes.length });
                response.end(bytes);
            } else {
                response.writeHead(status, headers);
                createReadStream(file).pipe(response);
            }
        } catch {
            response.writeHead(404, { "Content-Type": "text/plain" });
            response.end("not found");
        }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        address: `http://127.0.0.1:${server.address().port}${under}`,
        close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
    };
}

/** All pages of a built book, from its folder, sorted: those that only lead on to another page are left out. */
export async function pages(folder) {
    const found = [];
    for (const name of await readdir(folder, { recursive: true })) {
        if (!name.endsWith(".html")) continue;
        const text = await readFile(path.join(folder, name), "utf8");
        if (!text.includes('http-equiv="refresh"')) found.push(name.split(path.sep).join("/"));
    }
    return found.sort();
}
