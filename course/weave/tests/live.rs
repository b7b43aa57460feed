//! The live book: who may have something run, what then happens, and what is left afterwards. The same attacks run in a
//! real browser from `book/check/`.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{DEADLINE, Running, course, graded, wait_for, write};

const QUICK: &str = r#"{"exercise":"quick"}"#;
const WAITS: &str = r#"{"exercise":"waits"}"#;

/// The fields with one replaced, or without it.
fn but(fields: &[String], name: &str, value: Option<&str>) -> Vec<String> {
    let prefix = format!("{name}: ");
    let mut changed: Vec<String> = fields
        .iter()
        .filter(|field| !field.starts_with(&prefix))
        .cloned()
        .collect();
    changed.extend(value.map(|value| format!("{prefix}{value}")));
    changed
}

#[test]
fn only_the_readers_own_pages_have_something_done() {
    let dir = course();
    let running = Running::start(dir.path());
    let (port, token, honest) = (running.port, running.token.clone(), running.honest());
    let key = running.key();
    assert_ne!(
        key, token,
        "a cookie that another server sees is not enough"
    );
    let post = |fields: &[String]| running.post("/.book/run", fields, QUICK);

    // DNS rebinding, and addresses that are almost ours.
    for host in [
        "evil.example",
        "127.0.0.1",
        &format!("evil.example:{port}"),
        &format!("127.0.0.1:{port}.evil.example"),
        &format!("127.0.0.2:{port}"),
    ] {
        let host = but(&honest, "Host", Some(host));
        assert_eq!(post(&host), 403, "{host:?}");
    }
    // A page of another site, of another server on this machine, of a sandbox; none, or two.
    for origin in [
        None,
        Some("null".into()),
        Some("http://evil.example".into()),
        Some(format!("http://127.0.0.1:{}", port ^ 1)),
        Some(format!("https://127.0.0.1:{port}")),
        Some(format!("http://localhost:{port}")),
        Some(format!("http://127.0.0.1:{port}/")),
        Some(format!(
            "http://127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}"
        )),
    ] {
        let fields = but(&honest, "Origin", origin.as_deref());
        assert_eq!(post(&fields), 403, "{origin:?}");
    }
    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        let fields = but(&honest, "Sec-Fetch-Site", site);
        assert_eq!(post(&fields), 403, "{site:?}");
    }
    // The token elsewhere than in the cookie, and nearly.
    for cookie in [
        None,
        Some(format!("book={token}")),
        Some(format!("book-{}={token}", port ^ 1)),
        Some(format!("book-{port}={key}")),
        Some(format!("book-{port}={}", &token[..31])),
        Some(format!("book-{port}={token}0")),
        Some(format!("book-{port}=")),
    ] {
        let fields = but(&honest, "Cookie", cookie.as_deref());
        assert_eq!(post(&fields), 403, "{cookie:?}");
    }
    let bare = but(&honest, "Cookie", None);
    let target = format!("/.book/run?token={token}");
    assert_eq!(running.post(&target, &bare, QUICK), 403);
    for wrong in [None, Some(token.as_str()), Some(&key[..31]), Some("")] {
        assert_eq!(post(&but(&honest, "X-Book", wrong)), 403, "{wrong:?}");
    }
    // What a form or a simple fetch can send.
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json+x"),
    ] {
        assert_eq!(post(&but(&honest, "Content-Type", kind)), 415, "{kind:?}");
    }
    // Other methods, and other things.
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let (status, head, _) = running.with(method, "/.book/run", &honest);
        assert_eq!(status, 405, "{method}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
    }
    for asked in [
        "",
        "{",
        "[]",
        r#"{"exercise":"none"}"#,
        r#"{"exercise":"../quick"}"#,
        r#"{"exercise":"--all"}"#,
        r#"{"command":"touch graded"}"#,
        r#"{"exercise":"quick","path":"/"}"#,
    ] {
        assert_eq!(running.post("/.book/run", &honest, asked), 400, "{asked}");
    }
    let long = format!("{{\"exercise\":\"{}\"}}", "q".repeat(2000));
    assert_eq!(running.post("/.book/run", &honest, &long), 413);

    assert_eq!(
        graded(dir.path()),
        [""; 0],
        "nothing of this had anything run"
    );
    let mut listener = running.listen();
    assert_eq!(post(&honest), 202);
    assert_eq!(listener.done("quick"), "");
    assert_eq!(graded(dir.path()), ["quick"]);
}

#[test]
fn requests_that_are_none_are_refused() {
    let dir = course();
    let running = Running::start(dir.path());
    let host = format!("Host: {}\r\n", running.host());
    let chunked = "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (format!("POST /.book/run HTTP/1.1\r\n{host}{chunked}"), 501),
        (
            format!("POST /.book/run HTTP/1.1\r\n{host}Content-Length: +5\r\n\r\n"),
            400,
        ),
        (
            format!(
                "POST /.book/run HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n"
            ),
            413,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}A: {}\r\n\r\n", "a".repeat(40_000)),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}{}\r\n", "A: a\r\n".repeat(200)),
            431,
        ),
    ] {
        assert_eq!(running.raw(&request).0, status, "{request:.80}");
    }
    let site = dir.path().join("target/book/site");
    std::os::unix::fs::symlink(dir.path().join("Cargo.toml"), site.join("link.txt")).expect("link");
    std::os::unix::fs::symlink("/etc", site.join("etc")).expect("link");
    for target in [
        "/link.txt",
        "/etc/hostname",
        "/%00",
        "/index.html%00.txt",
        "/..%2f..%2flock",
        "/%5c..%5clock",
        "/.%2e/lock",
        "//etc/hostname",
        "/%2f%2fetc/hostname",
        "/%zz",
        "http://evil.example/",
        "*",
    ] {
        let (status, _, body) = running.with("GET", target, &running.own());
        assert!(matches!(status, 400 | 404), "{target}: {status}");
        assert!(!body.contains("[workspace]"), "{target}");
    }
}

#[test]
fn what_happens_is_told_to_the_readers_own_pages() {
    let dir = course();
    let running = Running::start(dir.path());
    let own = running.own();
    let ask = |fields: &[String]| running.with("GET", "/.book/events", fields).0;
    assert_eq!(ask(&[]), 403);
    assert_eq!(ask(&but(&own, "Cookie", None)), 403);
    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        assert_eq!(ask(&but(&own, "Sec-Fetch-Site", site)), 403, "{site:?}");
    }
    let foreign = but(&own, "Origin", Some("http://evil.example"));
    assert_eq!(ask(&foreign), 403);
    let bare = but(&own, "Cookie", None);
    let target = format!("/.book/events?token={}", running.token);
    assert_eq!(running.with("GET", &target, &bare).0, 403);
    // There is no WebSocket: who asks for one is told of no other protocol.
    let upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Origin: http://evil.example",
    ]
    .map(str::to_owned);
    assert_eq!(ask(&upgrade), 403);

    let progress = running.listen().until(|message| {
        let list = message["of"].as_array()?;
        Some(list[0]["slug"].as_str()?.to_owned())
    });
    assert_eq!(progress, "quick");
}

#[test]
fn a_token_becomes_a_cookie_once_and_pages_of_others_are_dead() {
    let dir = course();
    let running = Running::start(dir.path());
    let (port, token) = (running.port, &running.token);
    let (status, head, _) = running.request("GET", &format!("/01-first.html?token={token}"));
    assert_eq!(status, 303);
    assert!(head.contains("\r\nLocation: /01-first.html\r\n"), "{head}");
    let cookie =
        format!("\r\nSet-Cookie: book-{port}={token}; Path=/; HttpOnly; SameSite=Strict\r\n");
    assert!(head.contains(&cookie), "{head}");
    let (_, head, _) = running.request("GET", &format!("//evil.example?token={token}"));
    assert!(head.contains("\r\nLocation: /evil.example\r\n"), "{head}");
    for wrong in ["", "0", &token[..31], &format!("{token}0")] {
        let (status, head, _) = running.request("GET", &format!("/?token={wrong}"));
        assert!(status == 403 && !head.contains("Set-Cookie"), "{head}");
    }

    for field in [
        "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
    ] {
        for target in ["/", "/none", "/.book/live.js", "/.book/run"] {
            let (_, head, _) = running.request("GET", target);
            assert!(head.contains(field), "{target}: {head}");
        }
    }
    // An image, a script, a frame of another page's: not even the book.
    let foreign = |mode: &str, dest: &str| {
        let fields = [
            running.cookie(),
            "Sec-Fetch-Site: same-site".into(),
            format!("Sec-Fetch-Mode: {mode}"),
            format!("Sec-Fetch-Dest: {dest}"),
        ];
        running.with("GET", "/", &fields).0
    };
    assert_eq!(foreign("no-cors", "image"), 403);
    assert_eq!(foreign("no-cors", "script"), 403);
    assert_eq!(foreign("navigate", "iframe"), 403);
    assert_eq!(foreign("cors", "empty"), 403);
    assert_eq!(
        foreign("navigate", "document"),
        200,
        "a link may be followed"
    );
}

#[test]
fn one_thing_runs_at_a_time_and_can_be_stopped() {
    let dir = course();
    let running = Running::start(dir.path());
    let honest = running.honest();
    let post = |target: &str, asked: &str| running.post(target, &honest, asked);
    let mut listener = running.listen();
    assert_eq!(post("/.book/run", WAITS), 202);
    assert_eq!(listener.event("waits")["text"], "waiting");
    assert_eq!(post("/.book/run", QUICK), 409);
    assert_eq!(post("/.book/run", WAITS), 202, "it runs already");
    assert_eq!(post("/.book/stop", "{}"), 202);
    assert_eq!(listener.done("waits"), "Stopped.");
    assert_eq!(graded(dir.path()), ["waits"]);

    assert_eq!(post("/.book/run", r#"{"exercise":"noisy"}"#), 202);
    let why = listener.done("noisy");
    assert!(why.contains("more than can be shown"), "{why}");
    assert_eq!(post("/.book/run", QUICK), 202);
    assert_eq!(listener.event("quick")["check"], "c");
    assert_eq!(listener.done("quick"), "");
    // Who comes late hears how it went.
    assert_eq!(running.listen().event("quick")["check"], "c");
}

#[test]
fn a_save_grades_and_a_newer_one_takes_its_place() {
    let dir = course();
    let running = Running::start(dir.path());
    let before = running.state(|_| true).build;
    let mut listener = running.listen();
    write(dir.path(), "exercises/01-first/waits/src/lib.rs", "//! 1\n");
    assert_eq!(listener.event("waits")["text"], "waiting");
    write(dir.path(), "exercises/01-first/quick/src/lib.rs", "//! 2\n");
    assert_eq!(listener.done("waits"), "Stopped.");
    assert_eq!(listener.done("quick"), "");
    assert_eq!(
        running.state(|_| true).build,
        before,
        "an answer stands on no page, so no page is loaded anew"
    );
}

#[test]
fn slow_clients_and_many_listeners_hold_up_nobody() {
    let dir = course();
    let running = Running::start(dir.path());
    let mut first = running.listen();
    let listeners: Vec<_> = (0..40).map(|_| running.listen()).collect();
    // More than are let in at a time; the oldest of them are cut off.
    let half = format!("GET / HTTP/1.1\r\nHost: {}\r\nA: ", running.host());
    let slow: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut stream = running.connect();
            stream.write_all(half.as_bytes()).expect("sent");
            stream
        })
        .collect();
    assert_eq!(running.page("/").0, 200);
    assert_eq!(running.post("/.book/run", &running.honest(), QUICK), 202);
    assert_eq!(first.done("quick"), "");
    let (mut oldest, mut answer) = (&slow[0], String::new());
    _ = oldest.read_to_string(&mut answer);
    // On a machine that is slow itself, its time may have been up before.
    assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
    drop(listeners);
}

#[test]
fn what_it_started_ends_with_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let dir = course();
        let mut running = Running::start(dir.path());
        let mut listener = running.listen();
        assert_eq!(running.post("/.book/run", &running.honest(), WAITS), 202);
        listener.event("waits");
        let started = wait_for(dir.path().join("pid"));
        kill(Pid::from_raw(running.child.id() as i32), signal).expect("it is there");
        let status = running.child.wait().expect("it ends");
        if signal != Signal::SIGKILL {
            assert_eq!(status.code(), Some(128 + signal as i32));
        }
        wait_until_gone(started.trim());
    }
}

/// Gone, or dead and waiting for init to notice.
fn wait_until_gone(pid: &str) {
    let start = Instant::now();
    let stat = Path::new("/proc").join(pid).join("stat");
    while let Ok(text) = fs::read_to_string(&stat)
        && !text.contains(") Z ")
    {
        assert!(start.elapsed() < DEADLINE, "{pid} is still there");
        std::thread::yield_now();
    }
}
