// Reloads the page when the book was rebuilt, and says why when it could not be. Only `cargo book` adds this.
(() => {
    const build = document.currentScript.dataset.build;
    let known = "";

    function say(wrong) {
        let banner = document.getElementById("book-is-wrong");
        if (!wrong) {
            banner?.remove();
            return;
        }
        if (!banner) {
            banner = document.createElement("pre");
            banner.id = "book-is-wrong";
            banner.setAttribute("role", "alert");
            banner.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:1000;margin:0;max-height:40vh;overflow:auto;"
                + "padding:1em;background:#7a1212;color:#fff;font:14px/1.4 monospace;white-space:pre-wrap;text-align:left";
            document.body.append(banner);
        }
        banner.textContent = "The book was not rebuilt:\n\n" + wrong;
    }

    async function follow() {
        for (;;) {
            try {
                const answer = await fetch("/.book/changes?known=" + encodeURIComponent(known));
                const state = await answer.json();
                known = state.change;
                if (state.build !== build) {
                    location.reload();
                    return;
                }
                say(state.wrong);
            } catch {
                await new Promise((wake) => setTimeout(wake, 1000));
            }
        }
    }
    follow();
})();
