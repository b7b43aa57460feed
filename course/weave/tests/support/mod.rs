//! `cargo book`, run as a reader runs it, on a small course; and requests to it, byte for byte.

// Each test file has its own copy of this module, and uses what it needs.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const BOOK: &str = env!("CARGO_BIN_EXE_book");
/// Nothing here takes this long, however busy the machine is; it ends a test that would hang.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Saves a file as editors do: it is whole at any moment.
pub fn write(root: &Path, file: &str, text: &str) {
    let (path, new) = (root.join(file), root.join("new"));
    fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    fs::write(&new, text).expect("write the file");
    fs::rename(new, path).expect("put it in its place");
}

/// A course of one chapter, whose exercises no cargo could build.
pub fn course() -> TempDir {
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
    // Building removes what the stock theme needs and the book's own does not.
    write(
        root,
        "book/theme/index.hbs",
        "<!DOCTYPE html><html lang=\"{{ language }}\"><head><title>{{ title }}</title></head>\
         <body><main id=\"text\">\n{{{ content }}}</main></body></html>\n",
    );
    for slug in ["quick", "waits", "noisy"] {
        exercise(root, slug);
    }
    let program = root.join("cargo");
    write(root, "cargo", CARGO);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(program, executable).expect("make it a program");
    dir
}

fn exercise(root: &Path, slug: &str) {
    let package = format!("exercises/01-first/{slug}");
    let mut about = format!(
        "[package]\nname = \"{slug}\"\n[package.metadata.course]\ntitle = \"T\"\nkind = \"write\"\nlevel = 1\n\
         section = \"01-first#first\"\nneeds = []\nhints = [\"a\", \"b\"]\n"
    );
    for mistake in ["a", "b", "c"] {
        about += &format!(
            "[[package.metadata.course.mistake]]\nfile = \"{mistake}.rs\"\nsays = \"s\"\ncheck = \"c\"\nexpect = \"e\"\n"
        );
        let wrong = format!("solutions/01-first/{slug}/wrong/{mistake}.rs");
        write(root, &wrong, "");
    }
    write(root, &format!("{package}/Cargo.toml"), &about);
    write(root, &format!("{package}/src/lib.rs"), "//! Task.\n");
    write(root, &format!("{package}/tests/grade.rs"), "fn c() {}\n");
    for file in ["src/lib.rs", "stub/lib.rs"] {
        write(
            root,
            &format!("solutions/01-first/{slug}/{file}"),
            "//! Task.\n",
        );
    }
}

/// In the place of cargo: what it \"builds\" is itself, and that is `cargo course`, as far as the book's server can tell.
/// It writes down what it graded. `waits` ends when its standard input does, as `cargo course` would.
const CARGO: &str = r#"#!/bin/sh
tell() { printf '%s\n' "$1"; }
case "$1 $2" in
build*) tell '{"target":{"name":"cargo-course"},"executable":"'"$0"'"}' ;;
list*) tell '[{"slug":"quick","chapter":"01-first","standing":"new"}]' ;;
grade*) echo "$2" >> graded ;;
esac
case "$1 $2" in
"grade quick") tell '{"event":"check","check":"c","outcome":"pass"}'; tell '{"event":"end","passed":true,"points":1,"of":1}' ;;
"grade waits") echo $$ > pid.new; mv pid.new pid; tell '{"event":"busy","text":"waiting"}'; cat > rest ;;
"grade noisy") yes '{"event":"busy","text":"again"}' ;;
esac
"#;

pub fn book(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BOOK);
    command
        .args(arguments)
        .current_dir(root)
        .env("CARGO", root.join("cargo"))
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_MANIFEST_DIR");
    command
}

pub fn run(root: &Path, arguments: &[&str]) -> Output {
    book(root, arguments).output().expect("it starts")
}

/// What the program wrote to its standard error, which must be an ending with status 1.
pub fn failure(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

/// A `cargo book` that serves, until it is dropped.
pub struct Running {
    pub child: Child,
    pub port: u16,
    pub token: String,
}

impl Running {
    pub fn start(root: &Path) -> Running {
        let mut child = book(root, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines.map(|line| line.expect("text")).find_map(|line| {
            let (port, token) = line
                .trim()
                .strip_prefix("http://127.0.0.1:")?
                .split_once("/?token=")?;
            Some((port.parse().ok()?, token.to_owned()))
        });
        let (port, token) = address.expect("it prints its address");
        Running { child, port, token }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The cookie's field, as the reader's browser sends it.
    pub fn cookie(&self) -> String {
        format!("Cookie: other=1; book-{}={}", self.port, self.token)
    }

    /// What a page of the reader's sends along.
    pub fn own(&self) -> Vec<String> {
        vec![self.cookie(), "Sec-Fetch-Site: same-origin".into()]
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream
    }

    /// Sends a request as it stands, and returns the status, the head and the body of the answer.
    pub fn raw(&self, request: &str) -> (u16, String, String) {
        let mut stream = self.connect();
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

    pub fn request(&self, method: &str, target: &str) -> (u16, String, String) {
        self.with(method, target, &[])
    }

    /// A request to this server with more fields.
    pub fn with(&self, method: &str, target: &str, fields: &[String]) -> (u16, String, String) {
        let fields = lines(fields);
        self.raw(&format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n",
            self.host()
        ))
    }

    /// A page as the reader's browser gets it.
    pub fn page(&self, target: &str) -> (u16, String) {
        let (status, _, body) = self.with("GET", target, &self.own());
        (status, body)
    }

    /// The key that the reader's pages have.
    pub fn key(&self) -> String {
        let (_, page) = self.page("/");
        let (_, rest) = page
            .split_once("<meta name=\"book\" content=\"")
            .expect("a page of the reader's");
        rest.split('"').next().expect("a key").to_owned()
    }

    /// What an honest page sends to have something done.
    pub fn honest(&self) -> Vec<String> {
        let mut fields = self.own();
        fields.push(format!("Origin: http://{}", self.host()));
        fields.push("Content-Type: application/json".into());
        fields.push(format!("X-Book: {}", self.key()));
        fields
    }

    /// Sends something to be done, with these fields.
    pub fn post(&self, target: &str, fields: &[String], body: &str) -> u16 {
        let fields = lines(fields);
        let host = if fields.contains("Host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.host())
        };
        let length = body.len();
        self.raw(&format!(
            "POST {target} HTTP/1.1\r\n{host}{fields}Content-Length: {length}\r\n\r\n{body}"
        ))
        .0
    }

    /// What happens, as a page of the reader's hears it.
    pub fn listen(&self) -> Listener {
        let mut stream = self.connect();
        let fields = self.own().join("\r\n");
        write!(
            stream,
            "GET /.book/events HTTP/1.1\r\nHost: {}\r\n{fields}\r\n\r\n",
            self.host()
        )
        .expect("sent");
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().expect("an answer").expect("text");
        assert_eq!(status, "HTTP/1.1 200 OK");
        Listener(lines)
    }

    /// The first state of the book of which `is_it` holds: one save can be noticed as two changes.
    pub fn state(&self, is_it: impl Fn(&State) -> bool) -> State {
        self.listen().until(|message| {
            let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
            let state = State {
                build: text("build"),
                wrong: text("wrong"),
            };
            (message["kind"] == "book" && is_it(&state)).then_some(state)
        })
    }
}

fn lines(fields: &[String]) -> String {
    fields
        .iter()
        .fold(String::new(), |all, field| all + field + "\r\n")
}

/// One who hears what happens.
pub struct Listener(std::io::Lines<BufReader<TcpStream>>);

impl Listener {
    /// What the first message is of which `find` makes something.
    pub fn until<T>(&mut self, find: impl Fn(&Value) -> Option<T>) -> T {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let line = self.0.next().expect("it goes on").expect("in time");
            if let Some(message) = line.strip_prefix("data: ") {
                let message = serde_json::from_str(message).expect("JSON");
                if let Some(found) = find(&message) {
                    return found;
                }
            }
        }
        panic!("nothing of the kind happened in {DEADLINE:?}");
    }

    /// Waits for the end of the run of an exercise; why there is no grade.
    pub fn done(&mut self, slug: &str) -> String {
        self.until(|message| {
            let it = message["kind"] == "done" && message["target"]["exercise"] == slug;
            it.then(|| message["wrong"].as_str().unwrap_or_default().to_owned())
        })
    }

    /// Waits until an exercise's grader says something.
    pub fn event(&mut self, slug: &str) -> Value {
        self.until(|message| {
            let it = message["kind"] == "event" && message["target"]["exercise"] == slug;
            it.then(|| message["event"].clone())
        })
    }
}

/// What the pages learn about the book.
pub struct State {
    pub build: String,
    pub wrong: String,
}

/// What was graded, in order.
pub fn graded(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("graded")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until a file is there, and reads it.
pub fn wait_for(path: PathBuf) -> String {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if let Ok(text) = fs::read_to_string(&path) {
            return text;
        }
        std::thread::yield_now();
    }
    panic!("{} did not come in {DEADLINE:?}", path.display());
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
