//! `cargo book`, run as a reader runs it, on a small course: what it serves, what it refuses, what it does on a save.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const BOOK: &str = env!("CARGO_BIN_EXE_book");
/// Nothing here takes this long, however busy the machine is; it ends a test that would hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Saves a file as editors do: it is whole at any moment.
fn write(root: &Path, file: &str, text: &str) {
    let (path, new) = (root.join(file), root.join("new"));
    fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    fs::write(&new, text).expect("write the file");
    fs::rename(new, path).expect("put it in its place");
}

fn course() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path();
    write(root, "Cargo.toml", "[workspace]\n");
    write(root, "exercises/README.md", "");
    write(
        root,
        "chapters/01-first/Cargo.toml",
        "[package]\nname = \"first\"\n",
    );
    write(root, "chapters/01-first/src/lib.rs", "//! The first.\n");
    write(
        root,
        "book/book.toml",
        "[book]\ntitle = \"T\"\n[build]\ncreate-missing = false\nuse-default-preprocessors = false\n[preprocessor.weave]\nrenderers = [\"html\"]\n",
    );
    write(
        root,
        "book/src/SUMMARY.md",
        "# Summary\n\n[First](01-first.md)\n",
    );
    write(
        root,
        "book/src/01-first.md",
        "# First {#first}\n\n{{#listing chapters/01-first/src/lib.rs}}\n",
    );
    dir
}

fn book(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BOOK);
    command
        .args(arguments)
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_MANIFEST_DIR");
    command
}

fn run(root: &Path, arguments: &[&str]) -> Output {
    book(root, arguments).output().expect("it starts")
}

/// What the program wrote to its standard error, which must be an ending with status 1.
fn failure(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

/// A `cargo book` that serves, until it is dropped.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(root: &Path) -> Running {
        let mut child = book(root, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut port = None;
        for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
            let line = line.expect("text");
            if let Some(address) = line.trim().strip_prefix("http://127.0.0.1:") {
                port = address.trim_end_matches('/').parse().ok();
                break;
            }
        }
        Running {
            child,
            port: port.expect("it prints its address"),
        }
    }

    /// Sends a request as it stands, and returns the status, the head and the body of the answer.
    fn raw(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("answered, and closed");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        (status, head.to_owned(), body.to_owned())
    }

    fn request(&self, method: &str, target: &str) -> (u16, String, String) {
        self.raw(&format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.port
        ))
    }

    /// The first state of the book of which `is_it` holds: one save can be noticed as two changes.
    fn state(&self, is_it: impl Fn(&State) -> bool) -> State {
        let start = Instant::now();
        let mut known = String::new();
        while start.elapsed() < DEADLINE {
            let (_, _, body) = self.request("GET", &format!("/.book/changes?known={known}"));
            let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let text = |key: &str| json[key].as_str().expect("a text").to_owned();
            known = text("change");
            let state = State {
                build: text("build"),
                wrong: text("wrong"),
            };
            if is_it(&state) {
                return state;
            }
        }
        panic!("the book did not get there in {DEADLINE:?}");
    }
}

/// What the pages learn about the book.
struct State {
    build: String,
    wrong: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn pages_are_served_to_this_host_and_to_nobody_else() {
    let dir = course();
    let running = Running::start(dir.path());
    let port = running.port;

    let (status, head, body) = running.request("GET", "/");
    assert_eq!(status, 200);
    assert!(
        body.contains("//! The first.") && body.contains("/.book/reload.js"),
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
        let changes =
            format!("GET /.book/changes HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(running.raw(&changes).0, 403, "{host}");
    }
    assert_eq!(
        running.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").0,
        400
    );
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
