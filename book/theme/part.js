// Brings a part of the book that lies on a page of its own to where it belongs, when the reader asks for it.
//
// <p data-module="part" data-when="use"><a href="e/short-reads.html#hints">3 hints</a></p>

export default function part(element) {
    const link = element.querySelector("a");
    if (!link) return;
    const open = async (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        try {
            const address = new URL(link.href);
            const answer = await fetch(address.pathname);
            if (!answer.ok) throw new Error(answer.status);
            const other = new DOMParser().parseFromString(await answer.text(), "text/html");
            const found = other.getElementById(decodeURIComponent(address.hash.slice(1)));
            if (!found) throw new Error("nothing there");
            // Its links are relative to its own page.
            for (const inside of found.querySelectorAll("a[href]")) {
                inside.setAttribute("href", new URL(inside.getAttribute("href"), address).href);
            }
            found.tabIndex = -1;
            element.replaceWith(found);
            found.focus({ preventScroll: true });
        } catch {
            location.assign(link.href);
        }
    };
    link.addEventListener("click", open);
}
