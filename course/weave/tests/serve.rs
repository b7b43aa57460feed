//! `cargo book`, run as a reader runs it, on a small course: what it serves, what it refuses, what it does on a save.

mod support;

use std::fs;

use support::{Running, course, failure, run, write};

#[test]
fn pages_are_served_to_this_host_and_to_nobody_else() {
    let dir = course();
    let running = Running::start(dir.path());
    let port = running.port;

    let (status, head, body) = running.request("GET", "/");
    assert_eq!(status, 200);
    assert!(
        body.contains("The first.") && !body.contains("/.book/live.js"),
        "{body}"
    );
    assert!(head.contains("X-Content-Type-Options: nosniff"), "{head}");
    assert!(!head.to_lowercase().contains("access-control"), "{head}");
    let (status, _, body) = running.request("HEAD", "/01-first.html");
    assert_eq!((status, body.as_str()), (200, ""));

    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(running.request(method, "/").0, 405, "{method}");
    }
    for target in [
        "/none.html",
        "/../lock",
        "/%2e%2e/lock",
        "/..%2flock",
        "//lock",
        "/\\..\\lock",
    ] {
        assert!(
            matches!(running.request("GET", target).0, 400 | 404),
            "{target}"
        );
    }
    for host in ["evil.example", "127.0.0.1", &format!("evil.example:{port}")] {
        let (status, _, body) = running.raw(&format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(status, 403, "{host}");
        assert!(!body.contains("The first"), "{body}");
    }
    assert_eq!(
        running.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").0,
        400
    );

    let (status, page) = running.page("/");
    assert_eq!(status, 200);
    assert!(page.contains("/.book/live.js"), "{page}");
    for (target, kind) in [("live.js", "text/javascript"), ("live.css", "text/css")] {
        let (status, head, _) = running.request("GET", &format!("/.book/{target}"));
        assert!(status == 200 && head.contains(kind), "{head}");
    }
}

#[test]
fn a_save_rebuilds_and_a_mistake_leaves_the_last_good_book() {
    let dir = course();
    let running = Running::start(dir.path());
    let first = running.state(|_| true);
    assert_eq!(first.wrong, "");

    write(
        dir.path(),
        "chapters/01-first/src/lib.rs",
        "//! The second.\n",
    );
    running.state(|state| state.build != first.build && state.wrong.is_empty());
    assert!(running.request("GET", "/").2.contains("//! The second."));

    write(
        dir.path(),
        "book/src/01-first.md",
        "# First {#first}\n\n{{#claim 1}} The second.\n",
    );
    let wrong = running.state(|state| !state.wrong.is_empty());
    assert_eq!(
        wrong.wrong,
        "book/src/01-first.md:3: there is no claim 1 in any claims.toml"
    );
    assert!(running.request("GET", "/").2.contains("The second."));

    write(dir.path(), "book/src/01-first.md", "# Mended {#first}\n");
    running.state(|state| state.build != wrong.build && state.wrong.is_empty());
    assert!(running.request("GET", "/").2.contains("Mended"));
}

#[test]
fn a_book_that_is_wrong_from_the_start_says_so_until_it_is_mended() {
    let dir = course();
    write(dir.path(), "book/src/01-first.md", "# First\n");
    let running = Running::start(dir.path());
    assert_eq!(running.request("GET", "/").0, 503);
    let state = running.state(|_| true);
    assert!(
        state
            .wrong
            .contains("01-first.md:1: the heading `# First` has no id"),
        "{}",
        state.wrong
    );
    write(dir.path(), "book/src/01-first.md", "# First {#first}\n");
    running.state(|state| state.wrong.is_empty());
    assert_eq!(running.request("GET", "/").0, 200);
}

#[test]
fn build_writes_a_whole_book_or_fails() {
    let dir = course();
    let output = run(dir.path(), &["--build", "--out", "out"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(dir.path().join("out/01-first.html").is_file());
    assert!(
        !fs::read_to_string(dir.path().join("out/index.html"))
            .expect("a page")
            .contains("/.book/")
    );
    assert!(
        run(dir.path(), &["--build", "--out", "out"])
            .status
            .success(),
        "it may write over its own"
    );

    write(
        dir.path(),
        "book/src/01-first.md",
        "# First {#first}\n\n{{#listing chapters/01-first/src/none.rs}}\n",
    );
    let text = failure(&run(dir.path(), &["--build", "--out", "out"]));
    assert_eq!(
        text,
        "book/src/01-first.md:3: there is no chapters/01-first/src/none.rs\n"
    );
    assert!(
        dir.path().join("out/01-first.html").is_file(),
        "the last good one stays"
    );

    write(
        dir.path(),
        "book/src/01-first.md",
        "# First {#first}\n\n<div>\n",
    );
    let text = failure(&run(dir.path(), &["--build", "--out", "out"]));
    assert!(
        text.contains("unclosed HTML tag `<div>`"),
        "what mdBook only warns of: {text}"
    );
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let dir = course();
    write(dir.path(), "mine/diary.txt", "dear diary");
    let text = failure(&run(dir.path(), &["--build", "--out", "mine"]));
    assert!(
        text.contains("holds other files") && text.lines().count() == 1,
        "{text}"
    );
    assert!(dir.path().join("mine/diary.txt").is_file());

    let running = Running::start(dir.path());
    let text = failure(&run(dir.path(), &["--port", &running.port.to_string()]));
    assert!(
        text.starts_with(&format!("cannot listen on 127.0.0.1:{}", running.port)),
        "{text}"
    );
    let text = failure(&run(dir.path(), &[]));
    assert!(
        text.starts_with("another `cargo book` is at work") && text.lines().count() == 1,
        "{text}"
    );

    let nowhere = tempfile::tempdir().expect("a temporary folder");
    let text = failure(&run(nowhere.path(), &["--build"]));
    assert!(text.starts_with("there is no course at"), "{text}");
    for arguments in [&["--port", "many"][..], &["--out", "x"], &["--prot"]] {
        assert_eq!(
            run(dir.path(), arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}
