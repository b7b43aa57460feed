//! What does the reader's browser get, and what does nobody else get?

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::Catalog;
use serde_json::Value;
use weave::request::{Refusal, file_of, media_type};

use crate::build::Site;
use crate::gate::Gate;
use crate::http::{self, Answer, Body, Misunderstood, Request};
use crate::hub::Hub;
use crate::jobs::{Jobs, Target};

/// Where a page listens to what happens.
const EVENTS: &str = "/.book/events";
/// Where it asks for something to be run, and to be stopped.
const RUN: &str = "/.book/run";
const STOP: &str = "/.book/stop";
/// What makes a page live.
const SCRIPT: (&str, &str) = ("/.book/live.js", include_str!("live.js"));
const STYLE: (&str, &str) = ("/.book/live.css", include_str!("live.css"));

/// What all connections share.
pub struct Book {
    /// The course's folder.
    pub root: PathBuf,
    /// What is shown.
    pub site: Site,
    /// Who is let in.
    pub gate: Gate,
    /// What happens.
    pub hub: Hub,
    /// What is done.
    pub jobs: Jobs,
}

/// Serves from now on, in threads of its own.
pub fn start(listeners: Vec<TcpListener>, book: &Arc<Book>) {
    for listener in listeners {
        let book = book.clone();
        http::serve(listener, move |request| {
            let answer = request.map_or_else(misunderstood, |request| {
                book.answer(&request).unwrap_or_else(refused)
            });
            secured(answer)
        });
    }
}

impl Book {
    fn answer(&self, request: &Request) -> Result<Answer, Refusal> {
        self.gate.lets_in(request)?;
        let target = request.target.as_str();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match (request.method.as_str(), path) {
            ("POST", RUN | STOP) => {
                self.gate.may_do(request)?;
                if path == STOP {
                    self.jobs.stop();
                    return Ok(json(202, r#"{"ok":true}"#));
                }
                Ok(self.run(request))
            }
            (_, RUN | STOP) => Err(Refusal::Method),
            ("GET", EVENTS) => {
                self.gate.may_listen(request)?;
                Ok(self.events())
            }
            ("GET" | "HEAD", _) if path == SCRIPT.0 => {
                Ok(text("text/javascript; charset=utf-8", SCRIPT.1))
            }
            ("GET" | "HEAD", _) if path == STYLE.0 => Ok(text("text/css; charset=utf-8", STYLE.1)),
            ("GET" | "HEAD", _) => match self.gate.token_in(query) {
                Some(true) => Ok(Answer::new(303, "text/plain", Vec::new())
                    .with("Location", local(path))
                    .with("Set-Cookie", self.gate.cookie())),
                Some(false) => Err(Refusal::Stranger),
                None => self.page(request),
            },
            _ => Err(Refusal::Method),
        }
    }

    fn run(&self, request: &Request) -> Answer {
        let asked: Option<Value> = serde_json::from_slice(&request.body).ok();
        let catalog = Catalog::load(&self.root);
        let Some(target) = asked.and_then(|asked| Target::find(&asked, &catalog)) else {
            return json(
                400,
                r#"{"wrong":"There is no such exercise, claim or chapter."}"#,
            );
        };
        match self.jobs.ask(target) {
            Ok(()) => json(202, r#"{"ok":true}"#),
            Err(_) => json(
                409,
                r#"{"wrong":"Something else is running: wait, or stop it."}"#,
            ),
        }
    }

    fn events(&self) -> Answer {
        let hub = self.hub.clone();
        let going = Body::Going(Box::new(move |listener: &mut dyn io::Write| {
            hub.tell(listener)
        }));
        Answer {
            body: going,
            ..Answer::new(200, "text/event-stream", Vec::new())
        }
    }

    fn page(&self, request: &Request) -> Result<Answer, Refusal> {
        let found = self.site.read(|root| {
            let root = root.canonicalize().map_err(|_| Refusal::NotFound)?;
            let file = file_of(&request.target, &root)?;
            let bytes = std::fs::read(&file).map_err(|_| Refusal::NotFound)?;
            // Read under the same lock as the page, so that the page belongs to the build that it names.
            Ok::<_, Refusal>((bytes, media_type(&file), self.hub.book()))
        });
        let is_known = self.gate.knows(request);
        match found {
            Ok((bytes, kind, (build, _))) if kind.starts_with("text/html") => {
                let bytes = self.enlivened(bytes, build, is_known);
                Ok(Answer::new(200, kind, bytes))
            }
            Ok((bytes, kind, _)) => Ok(Answer::new(200, kind, bytes)),
            Err(Refusal::NotFound) => match self.hub.book() {
                (build, Some(_)) => {
                    let page = html_page("<p>There is no book yet.</p>");
                    let page = self.enlivened(page, build, is_known);
                    Ok(Answer::new(503, "text/html; charset=utf-8", page))
                }
                _ => Err(Refusal::NotFound),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// Puts what makes a page live at the end of its head; for who has no cookie, a word on how to get one.
    fn enlivened(&self, page: Vec<u8>, build: u64, is_known: bool) -> Vec<u8> {
        let (place, more) = if is_known {
            let key = self.gate.key();
            let more = format!(
                "<meta name=\"book\" content=\"{key}\" data-build=\"{build}\">\
                 <link rel=\"stylesheet\" href=\"{}\"><script type=\"module\" src=\"{}\"></script>",
                STYLE.0, SCRIPT.0
            );
            ("</head>", more)
        } else {
            let note = "<p role=\"note\">To grade and to see your progress, open the address that <code>cargo book</code> printed.</p>";
            ("</body>", note.to_owned())
        };
        match String::from_utf8(page) {
            Ok(page) => match page.rfind(place) {
                Some(at) => format!("{}{more}{}", &page[..at], &page[at..]).into_bytes(),
                None => page.into_bytes(),
            },
            Err(error) => error.into_bytes(),
        }
    }
}

/// A path of this server: `//evil.example` would be another one's.
fn local(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

fn html_page(body: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Runnable Sockets</title></head><body>{body}</body></html>"
    )
    .into_bytes()
}

fn refused(refusal: Refusal) -> Answer {
    let page = html_page(&format!(
        "<p>{refusal}</p><p><a href=\"/\">To the book</a></p>"
    ));
    let answer = Answer::new(refusal.status(), "text/html; charset=utf-8", page);
    if refusal == Refusal::Method {
        answer.with("Allow", "GET, HEAD")
    } else {
        answer
    }
}

fn misunderstood(Misunderstood(status, why): Misunderstood) -> Answer {
    let page = html_page(&format!("<p>{why}</p>"));
    Answer::new(status, "text/html; charset=utf-8", page)
}

fn json(status: u16, text: &str) -> Answer {
    Answer::new(status, "application/json", text.into())
}

fn text(kind: &str, text: &str) -> Answer {
    Answer::new(200, kind, text.into())
}

/// What every answer carries: it is what it says, is asked for anew each time, loads nothing from elsewhere, is shown in
/// no frame and tells nobody where the reader is.
fn secured(answer: Answer) -> Answer {
    answer
        .with("X-Content-Type-Options", "nosniff")
        .with("Cache-Control", "no-store")
        .with(
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        )
        .with("Cross-Origin-Resource-Policy", "same-origin")
        .with("Cross-Origin-Opener-Policy", "same-origin")
        .with("Referrer-Policy", "no-referrer")
}

/// Where the server listens: on 127.0.0.1, and on the same port of ::1 where there is one. 0 lets the kernel choose.
///
/// # Errors
///
/// What `bind(2)` reports of 127.0.0.1: `EADDRINUSE`, `EACCES`.
pub fn listen(port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut last = None;
    // A port that is free on one may be taken on the other.
    for _ in 0..16 {
        let four = TcpListener::bind(("127.0.0.1", port))?;
        let chosen = four.local_addr()?.port();
        match TcpListener::bind(("::1", chosen)) {
            Ok(six) => return Ok((vec![four, six], chosen)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 => {
                last = Some(error);
            }
            // There is no IPv6 here, or the one that was asked for is another's there.
            Err(_) => return Ok((vec![four], chosen)),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

/// Opens the reader's browser, if there is a program for that.
pub fn open(address: &str, root: &Path) {
    let mut command = std::process::Command::new("xdg-open");
    command
        .arg(address)
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            std::thread::spawn(move || child.wait());
        }
        Err(error) => {
            eprintln!("no browser can be opened: xdg-open: {error}; open the address yourself");
        }
    }
}
