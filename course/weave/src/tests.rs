//! Weaving, on a small course in a temporary folder: what comes out, and what is said when it cannot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use catalog::Catalog;
use tempfile::TempDir;

use crate::{Options, Page, pages_on_disk, site, told, weave};

const CODE: &str = "chapters/03-sockets/src/whole.rs";

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    fs::write(path, text).expect("write the file");
}

pub(crate) fn course() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path();
    write(root, "Cargo.toml", "[workspace]\n");
    write(
        root,
        "chapters/03-sockets/Cargo.toml",
        "[package]\nname = \"sockets\"\n",
    );
    write(
        root,
        "chapters/03-sockets/src/lib.rs",
        "//! Sockets.\nmod whole;\n",
    );
    write(
        root,
        CODE,
        "impl Whole {\n    // ANCHOR: read\n    /// Reads.\n    // ANCHOR: body\n    fn read() {\n\n        # [x]\n    }\n    \
         // ANCHOR_END: body\n    // ANCHOR_END: read\n}\n// ANCHOR: open\n// ANCHOR: empty\n\n// ANCHOR_END: empty\n",
    );
    write(root, "chapters/03-sockets/src/stray.rs", "fn stray() {}\n");
    write(
        root,
        "chapters/03-sockets/src/bin/slow-writer.rs",
        "fn main() {}\n",
    );
    write(root, "chapters/03-sockets/README.md", "text\n");
    write(
        root,
        "chapters/03-sockets/tests/claims.rs",
        "fn bind_it(cx: &Check) -> Verdict { PASS }\n",
    );
    write(
        root,
        "chapters/03-sockets/claims.toml",
        "[[claim]]\nid = \"03.1\"\nsays = \"`sizeof` a \\\"pointer\\\" | will do.\"\nverdict = \"wrong\"\n\
         correction = \"It sees *eight*.\"\nexperiment = \"bind_it\"\nseen = \"foo.so\"\nreads = [\"bind(2)\"]\n\
         [[claim]]\nid = \"03.2\"\nsays = \"Big-endian.\"\nverdict = \"true\"\nauthority = \"RFC 1700\"\n",
    );
    let exercise = "exercises/03-sockets/short-reads";
    let mut manifest = String::from(
        "[package]\nname = \"short-reads\"\n[package.metadata.course]\ntitle = \"Read it all\"\nkind = \"write\"\n\
         level = 2\nsection = \"03-sockets#edges\"\nneeds = [\"hosts\"]\nhints = [\"Print `n`.\", \"Count.\"]\n",
    );
    for name in ["one", "two", "three"] {
        _ = write!(
            manifest,
            "[[package.metadata.course.mistake]]\nfile = \"{name}.rs\"\nsays = \"Belief {name}.\"\ncheck = \"waits\"\n\
             expect = \"returned 3\"\nsource = \"https://example.org/{name}\"\n"
        );
        write(
            root,
            &format!("solutions/03-sockets/short-reads/wrong/{name}.rs"),
            "",
        );
    }
    write(root, &format!("{exercise}/Cargo.toml"), &manifest);
    write(
        root,
        &format!("{exercise}/src/lib.rs"),
        "// The learner took the task away.\n",
    );
    write(
        root,
        &format!("{exercise}/tests/grade.rs"),
        "/// Five bytes are five.\nfn waits(cx: &Check) {}\n",
    );
    for file in ["Cargo.toml", "src/lib.rs", "tests/grade.rs"] {
        write(
            root,
            &format!("solutions/03-sockets/short-reads/{file}"),
            "",
        );
    }
    write(
        root,
        "solutions/03-sockets/short-reads/stub/lib.rs",
        "//! **Read it all.** Write [`read_all`].\n//!\n//! # Errors\n//!\n//! None.\n\nuse std::io;\n",
    );
    write(
        root,
        "book/src/03-sockets.md",
        "# Sockets {#sockets}\n\n## Edges {#edges}\n\n{{#claims}}\n\n{{#exercises}}\n",
    );
    write(root, "book/src/picture.svg", "<svg/>");
    write(root, "book/src/SUMMARY.md", "# Summary\n");
    dir
}

/// Weaves the pages on disk, with one page `page.md` more, and gives that page back.
fn woven(dir: &TempDir, text: &str) -> String {
    try_weave(dir, text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The problems of weaving `text` as `page.md` beside the pages on disk.
fn wrong(dir: &TempDir, text: &str) -> Vec<String> {
    try_weave(dir, text).expect_err("it should not weave")
}

fn try_weave(dir: &TempDir, text: &str) -> Result<String, Vec<String>> {
    let catalog = Catalog::load(dir.path());
    assert_eq!(catalog.problems, [], "the course itself is sound");
    let mut pages = pages_on_disk(dir.path()).expect("pages");
    pages.push(Page {
        path: "page.md".into(),
        text: text.into(),
    });
    let options = Options::from_settings(None, Some("https://host.example/a/b".into()));
    match weave(&catalog, &options, &pages) {
        Ok(mut woven) => Ok(woven.pop().expect("the page")),
        Err(problems) => Err(problems.0.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_listing_is_cut_dedented_and_captioned() {
    let dir = course();
    assert_eq!(
        woven(
            &dir,
            &format!("Before.\n\n{{{{#listing {CODE}:read}}}}\n\nAfter.\n")
        ),
        "Before.\n\n<figure class=\"listing\"><figcaption><span class=\"place\">\
         <a href=\"https://host.example/a/b/blob/main/chapters/03-sockets/src/whole.rs#L3-L8\">chapters/03-sockets/src/whole.rs</a> \
         <span class=\"lines\">3–8</span></span> <span class=\"command\"><code class=\"run\">cargo test -p sockets</code></span></figcaption>\
         <pre tabindex=\"0\"><code data-language=\"rust\"><span class=c>/// Reads.</span>&#10;<span class=k>fn</span> read() {&#10;&#10;    # [x]&#10;}\
         </code></pre></figure>\n\nAfter.\n"
    );
}

#[test]
fn a_program_is_listed_whole_with_the_command_that_runs_it() {
    let dir = course();
    let page = woven(
        &dir,
        "- item\n\n  {{#listing chapters/03-sockets/src/bin/slow-writer.rs}}\n",
    );
    assert!(
        page.contains("<span class=k>fn</span> main() {}</code>"),
        "{page}"
    );
    assert!(
        page.contains("<span class=\"lines\">1</span></span> <span class=\"command\"><code class=\"run\">cargo run --bin slow-writer</code>"),
        "{page}"
    );
}

#[test]
fn a_listing_that_cannot_be_is_said_with_the_directives_line() {
    let dir = course();
    for (place, expected) in [
        (
            "chapters/03-sockets/src/none.rs",
            "there is no chapters/03-sockets/src/none.rs",
        ),
        (
            "chapters/04-tcp/src/lib.rs",
            "there is no crate chapters/04-tcp: it has no Cargo.toml",
        ),
        (
            "chapters/03-sockets/build.rs",
            "cargo does not build `chapters/03-sockets/build.rs`",
        ),
        ("chapters/03-sockets/src/README.md", "is not Rust"),
        (
            "chapters/03-sockets/src/stray.rs",
            "no file of its crate has `mod stray;`",
        ),
        ("chapters/../Cargo.toml", "must be a plain path"),
        ("/etc/passwd", "must be a plain path"),
        ("book/src/x.rs", "`book/src/x.rs` is in no crate"),
        (
            "solutions/03-sockets/short-reads/src/lib.rs",
            "would give an answer away",
        ),
        (
            "chapters/03-sockets/src/whole.rs:raed",
            "there is no anchor `raed` in chapters/03-sockets/src/whole.rs; did you mean `read`?",
        ),
        (
            "chapters/03-sockets/src/lib.rs:read",
            "there is no anchor `read` in chapters/03-sockets/src/lib.rs; it has none at all",
        ),
        (
            "chapters/03-sockets/src/whole.rs:open",
            "anchor `open` is not closed: chapters/03-sockets/src/whole.rs:12 has no `// ANCHOR_END: open`",
        ),
        (
            "chapters/03-sockets/src/whole.rs:empty",
            "the listing is empty: anchor `empty`",
        ),
        ("chapters/03-sockets/src/whole.rs:", "ends in a colon"),
    ] {
        let found = wrong(&dir, &format!("One.\n\n{{{{#listing {place}}}}}\n"));
        assert_eq!(found.len(), 1, "{place}: {found:#?}");
        assert!(
            found[0].starts_with("book/src/page.md:3: ") && found[0].contains(expected),
            "{place}: {}",
            found[0]
        );
    }
}

#[test]
fn a_claim_in_the_prose_leads_to_its_row() {
    let dir = course();
    assert_eq!(
        woven(&dir, "So it is. {{#claim 03.1}}\n"),
        "So it is. <a class=\"claim wrong\" href=\"03-sockets.md#claim-03-1\" title=\"Wrong: `sizeof` a &quot;pointer&quot; \
         &#124; will do.\"><span class=\"sign\" aria-hidden=\"true\">✗</span>03.1</a>\n"
    );
    assert_eq!(
        wrong(&dir, "\n{{#claim 03.9}}\n"),
        ["book/src/page.md:2: there is no claim 03.9 in any claims.toml; did you mean 03.1?"]
    );
    write(
        dir.path(),
        "book/src/03-sockets.md",
        "# Sockets {#sockets}\n\n## Edges {#edges}\n",
    );
    let found = wrong(&dir, "{{#claim 03.1}} {{#claim 03.2}}\n");
    assert_eq!(
        found,
        ["book/src/03-sockets.md: the page has no `{{#claims}}`, and claims lead to their rows"]
    );
}

#[test]
fn the_claims_table_has_a_row_with_an_id_for_each() {
    let dir = course();
    let catalog = Catalog::load(dir.path());
    let page = weave(
        &catalog,
        &Options::default(),
        &pages_on_disk(dir.path()).expect("pages"),
    )
    .expect("woven")
    .remove(0);
    for part in [
        "2 claims: 1 true, 1 wrong. 1 decided by experiment, 1 by authority.",
        "<tr id=\"claim-03-1\" class=\"wrong\" data-claim=\"03.1\">",
        "<code>sizeof</code> a",
        "<p class=\"correction\">It sees <em>eight</em>.</p>",
        "<code>bind_<wbr>it</code><p class=\"seen\">Seen: foo.so</p>",
        "<a href=\"https://man7.org/linux/man-pages/man2/bind.2.html\">bind(2)</a>",
        "<span class=\"how\">Authority</span> RFC 1700",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    let table =
        &page[page.find("<table").expect("a table")..page.find("</table>").expect("its end")];
    assert!(
        !table.contains("\n\n"),
        "an empty line would end the table: {table}"
    );
}

#[test]
fn the_appendix_has_every_claim_and_leads_to_its_row() {
    let dir = course();
    let page = woven(&dir, "{{#on-trial}}\n\nSee [there](#trial-03).\n");
    assert!(page.contains("## 3. Sockets {#trial-03}"), "{page}");
    assert!(page.contains("href=\"03-sockets.md#claim-03-2\""), "{page}");
}

#[test]
fn an_exercise_card_shows_the_task_and_folds_the_rest() {
    let dir = course();
    write(
        dir.path(),
        "book/src/03-sockets.md",
        "# Sockets {#sockets}\n\n## Edges {#edges}\n",
    );
    let page = woven(&dir, "{{#exercise short-reads}}\n");
    for part in [
        "### Read it all {#exercise-short-reads}",
        "</p>\n<div class=\"slot\" data-slot=\"exercise\"></div>\n\nWrite `read_all`.\n\n**Errors**",
        "<span class=\"kind\">write it</span>",
        "level 2 of 3",
        "needs hosts",
        "[`exercises/03-sockets/short-reads/src/lib.rs`](https://host.example/a/b/blob/main/exercises/",
        "`cargo course grade short-reads`",
        "`cargo test -p short-reads`",
        "[Edges](03-sockets.md#edges)",
        "<summary>Hint 2 of 2</summary>\n\nCount.\n\n</details>",
        "<summary>Mistake 1 of 3</summary>\n<p class=\"belief\">Belief one.</p>",
        "<code>waits</code> rejects it: Five bytes are five. It says <q>returned 3</q>. <a href=\"https://example.org/one\">",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert_eq!(
        wrong(&dir, "{{#exercise short-raeds}}\n"),
        [
            "book/src/page.md:1: no exercise or chapter is called `short-raeds`; did you mean short-reads?"
        ]
    );
    write(
        dir.path(),
        "solutions/03-sockets/short-reads/stub/lib.rs",
        "use std::io;\n",
    );
    let found = wrong(&dir, "{{#exercise short-reads}}\n");
    assert!(
        found[0].contains("`short-reads` has no task: begin solutions/"),
        "{found:#?}"
    );
}

#[test]
fn a_directive_that_is_none_is_said() {
    let dir = course();
    for (text, expected) in [
        (
            "{{#lsting a}}",
            "there is no directive `lsting`: did you mean `listing`?",
        ),
        (
            "{{#zebra}}",
            "there is no directive `zebra`; there are listing, claim,",
        ),
        (
            "{{#include a.rs}}",
            "fails in silence in mdBook: use `{{#listing path:anchor}}`",
        ),
        ("{{#claims", "is not closed on its line"),
        ("{{#claims 3}}", "takes nothing after its name"),
        ("{{#claim}}", "write `{{#claim 03.16}}`"),
        ("{{#exercise}}", "write `{{#exercise slug}}`"),
        ("{{#listing}}", "write `{{#listing path}}`"),
        ("Here: {{#on-trial}}", "give it a line of its own"),
        ("{{#claims}}", "`{{#claims}}` belongs on a chapter's page"),
        (
            "{{#exercises}}",
            "`{{#exercises}}` belongs on a chapter's page",
        ),
    ] {
        let found = wrong(&dir, &format!("One.\n\n{text}\n"));
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(
            found[0].starts_with("book/src/page.md:3: ") && found[0].contains(expected),
            "{text}: {}",
            found[0]
        );
    }
}

#[test]
fn directives_in_code_stay_as_they_are() {
    let dir = course();
    let text = "Write `{{#claim 03.16}}`.\n\n```md\n{{#include x}}\n```\n\n    {{#zebra}}\n\n~~~\n{{#claims}}\n~~~\n";
    assert_eq!(woven(&dir, text), text);
}

#[test]
fn a_terminal_is_a_figure_and_its_programs_exist() {
    let dir = course();
    let page = woven(
        &dir,
        "- a\n\n  ```console\n  $ cargo run --bin slow-writer\n\n  at [PORT]\n  ```\n\nb\n",
    );
    assert!(
        page.starts_with("- a\n\n  <figure class=\"console\""),
        "{page}"
    );
    assert!(
        page.contains("slow-writer</kbd>&#10;&#10;at <var>[PORT]</var></pre></figure>\n\nb\n"),
        "{page}"
    );
    assert_eq!(
        wrong(&dir, "```console\n$ cargo run --bin slow-wirter\nx\n```\n"),
        ["book/src/page.md:2: no chapter has a program `slow-wirter`; did you mean `slow-writer`?"]
    );
    assert_eq!(
        wrong(&dir, "```console\n$ kill [PID]\n```\n"),
        ["book/src/page.md:2: `[PID]` is not known yet: no output above shows it in this section"]
    );
}

#[test]
fn links_must_lead_somewhere() {
    let dir = course();
    let good = "# A {#a}\n\n[a](#a) [b](03-sockets.md#claim-03-1) [c](03-sockets.md) [d](https://x.example/#y) ![e](picture.svg)\n\
                [f][g] [PORT] <a id=\"h\" href=\"#exercise\">x</a> [i](#h) [j](mailto:a@b.example)\n\n[g]: 03-sockets.md#exercise-short-reads\n";
    assert_eq!(
        wrong(&dir, good),
        ["book/src/page.md:4: the link `#exercise` leads nowhere: page.md has no id `exercise`"]
    );
    woven(&dir, &good.replace("#exercise\"", "#h\""));
    for (text, expected) in [
        ("[x](#nowhere)", "page.md has no id `nowhere`"),
        (
            "[x](03-sockets.md#edgse)",
            "03-sockets.md has no id `edgse`; did you mean `#edges`?",
        ),
        (
            "[x](03-socket.md)",
            "there is no 03-socket.md in the book; did you mean `03-sockets.md`?",
        ),
        ("![x](picture.png)", "there is no picture.png in the book"),
        ("[x](03-sockets.html)", "link to the page's .md file"),
        ("[x](../../Cargo.toml)", "leaves the book"),
        ("[x](/03-sockets.md)", "begins with `/`"),
        ("[x]()", "leads nowhere"),
        (
            "[x][nolabel]",
            "the link's label `[nolabel]` is not defined",
        ),
        ("[x](SUMMARY.md)", "not in SUMMARY.md"),
    ] {
        let found = wrong(&dir, &format!("One.\n\n{text}\n"));
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(
            found[0].starts_with("book/src/page.md:3: ") && found[0].contains(expected),
            "{text}: {}",
            found[0]
        );
    }
}

#[test]
fn a_type_outside_of_code_is_no_html() {
    let dir = course();
    assert_eq!(
        wrong(&dir, "A `Vec<u8>` <b>is</b>\nno Vec<u8>.\n"),
        ["book/src/page.md:2: `<u8>` is taken for a tag of HTML: put it in `code`"]
    );
}

#[test]
fn headings_need_ids_and_ids_stand_once() {
    let dir = course();
    assert_eq!(
        wrong(
            &dir,
            "# A {#a}\n\n## What goes wrong\n\n### B {#a}\n\n<p id=\"c\">c</p>\n\n#### D {#c}\n"
        ),
        [
            "book/src/page.md:3: the heading `## What goes wrong` has no id: end it with `{#what-goes-wrong}`",
            "book/src/page.md:5: the id `a` stands twice on this page, first on line 1: change one",
            "book/src/page.md:9: the id `c` stands twice on this page, first on line 7: change one",
        ]
    );
    let found = wrong(
        &dir,
        "{{#exercise short-reads}}\n\n{{#exercise short-reads}}\n",
    );
    assert!(
        found[0].contains(":3: the id `exercise-short-reads` stands twice"),
        "{found:#?}"
    );
}

#[test]
fn what_is_wrong_with_the_claims_or_exercises_is_wrong_with_the_book() {
    let dir = course();
    let file = "chapters/03-sockets/claims.toml";
    let claims = fs::read_to_string(dir.path().join(file)).expect("claims");
    write(
        dir.path(),
        file,
        &claims.replace("verdict = \"true\"", "verdict = \"treu\""),
    );
    let manifest = "exercises/03-sockets/short-reads/Cargo.toml";
    let text = fs::read_to_string(dir.path().join(manifest)).expect("manifest");
    write(
        dir.path(),
        manifest,
        &text.replace("level = 2", "level = 7"),
    );
    let catalog = Catalog::load(dir.path());
    let problems = weave(
        &catalog,
        &Options::default(),
        &pages_on_disk(dir.path()).expect("pages"),
    )
    .expect_err("wrong")
    .0;
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        problems[1].starts_with(&format!("{file}:12: verdict must be true")),
        "{problems:#?}"
    );
    assert!(
        problems[2].starts_with(&format!("{manifest}:6: level must be 1, 2 or 3, not 7")),
        "{problems:#?}"
    );
    assert!(
        problems[0].starts_with("book/src/03-sockets.md:7: there are no exercises"),
        "{problems:#?}"
    );
}

#[test]
fn told_counts_the_lines_that_listings_show() {
    let dir = course();
    let catalog = Catalog::load(dir.path());
    let text = format!("{{{{#listing {CODE}:body}}}}\n\n`{{{{#listing {CODE}}}}}`\n");
    let files = told(
        &catalog,
        &[Page {
            path: "page.md".into(),
            text,
        }],
    )
    .expect("readable");
    let whole = files
        .iter()
        .find(|file| file.file == Path::new(CODE))
        .expect("counted");
    assert_eq!((whole.told, whole.lines), (3, 6));
    assert_eq!(whole.untold, [1..=3, 11..=11]);
    let main = files
        .iter()
        .find(|file| file.file.ends_with("slow-writer.rs"))
        .expect("counted");
    assert_eq!(
        (main.told, main.lines, main.chapter.as_str()),
        (0, 1, "03-sockets")
    );
}

#[test]
fn the_built_site_is_checked_whole() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path();
    write(
        root,
        "index.html",
        "<h1 id=\"a&amp;b\">A</h1><a href=\"sub/two.html#c\">two</a><a href='#a&amp;b'>x</a><a href=\"#\">top</a><code>{{#x}}</code>\
         <a href=\"https://no.example/\">out</a><script src=\"s.js?v=1\">if (a<b) '<a href=\"no\">'</script>",
    );
    write(root, "s.js", "");
    write(
        root,
        "sub/two.html",
        "<p id=c><a href=\"../index.html\">one</a><a href=\"../\">one</a>",
    );
    write(root, "404.html", "<a href=\"/index.html\">one</a>");
    assert_eq!(site::check(root).expect("readable"), []);

    write(
        root,
        "sub/two.html",
        "<p id=e><a href=\"../none.html\">x</a> {{#claim 1}} <a href=\"#d\">y</a> <a href=\"../../z\">z</a>",
    );
    let found: Vec<String> = site::check(root)
        .expect("readable")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "index.html: the link `sub/two.html#c` leads nowhere: sub/two.html has no id `c`",
            "sub/two.html: a directive is left on the page: `{{#claim 1}} `; did weave run?",
            "sub/two.html: the link `#d` leads nowhere: sub/two.html has no id `d`",
            "sub/two.html: the link `../../z` leaves the site",
            "sub/two.html: the link `../none.html` leads nowhere: there is no none.html",
        ]
    );
}
