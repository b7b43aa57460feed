//! How does the reader's browser get the book's pages, and nobody else anything?

use std::io::Cursor;
use std::net::TcpListener;
use std::sync::Arc;

use tiny_http::{Header, Method, Request, Response, Server};
use weave::request::{Refusal, check_host, file_of, media_type};

use crate::build::Site;
use crate::reload::{CHANGES, CODE, SCRIPT, Shown};

type Answer = Response<Cursor<Vec<u8>>>;

/// Serves from now on, in threads of its own.
pub fn start(
    listener: TcpListener,
    site: Site,
    shown: Arc<Shown>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let port = listener.local_addr()?.port();
    let server = Server::from_listener(listener, None)?;
    std::thread::spawn(move || {
        while let Ok(request) = server.recv() {
            let (site, shown) = (site.clone(), shown.clone());
            // A page that waits for a change must not keep the others waiting.
            std::thread::spawn(move || {
                let answer = answer(&request, port, &site, &shown);
                // The browser may have gone meanwhile.
                _ = request.respond(secured(answer));
            });
        }
    });
    Ok(())
}

fn answer(request: &Request, port: u16, site: &Site, shown: &Shown) -> Answer {
    let hosts: Vec<&str> = request
        .headers()
        .iter()
        .filter(|header| header.field.equiv("Host"))
        .map(|header| header.value.as_str())
        .collect();
    if let Err(refusal) = check_host(&hosts, port) {
        return refused(refusal);
    }
    if !matches!(request.method(), Method::Get | Method::Head) {
        return refused(Refusal::Method).with_header(header("Allow", "GET, HEAD"));
    }
    let target = request.url();
    match target.split_once('?').unwrap_or((target, "")) {
        (SCRIPT, _) => typed(CODE.as_bytes().to_vec(), "text/javascript; charset=utf-8"),
        (CHANGES, query) => {
            let known = query.strip_prefix("known=").unwrap_or("");
            typed(shown.after(known).json().into_bytes(), "application/json")
        }
        _ => page(target, site, shown),
    }
}

fn page(target: &str, site: &Site, shown: &Shown) -> Answer {
    let found = site.read(|root| {
        let root = root.canonicalize().map_err(|_| Refusal::NotFound)?;
        let file = file_of(target, &root)?;
        let bytes = std::fs::read(&file).map_err(|_| Refusal::NotFound)?;
        // Read under the same lock as the page, so that the page belongs to the build that it names.
        Ok::<_, Refusal>((bytes, media_type(&file), shown.now()))
    });
    match found {
        Ok((bytes, kind, state)) if kind.starts_with("text/html") => {
            typed(with_script(bytes, &state.tag()), kind)
        }
        Ok((bytes, kind, _)) => typed(bytes, kind),
        Err(Refusal::NotFound) => match shown.now() {
            state if state.wrong.is_some() => {
                let text = format!("<p>There is no book yet.</p>{}", state.tag());
                typed(html_page(&text), "text/html; charset=utf-8").with_status_code(503)
            }
            _ => refused(Refusal::NotFound),
        },
        Err(refusal) => refused(refusal),
    }
}

/// Puts the reloading script at the end of a page.
fn with_script(page: Vec<u8>, tag: &str) -> Vec<u8> {
    match String::from_utf8(page) {
        Ok(page) => match page.rfind("</body>") {
            Some(end) => format!("{}{tag}{}", &page[..end], &page[end..]).into_bytes(),
            None => page.into_bytes(),
        },
        Err(error) => error.into_bytes(),
    }
}

fn html_page(body: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><title>Runnable Sockets</title><body>{body}</body>"
    )
    .into_bytes()
}

fn refused(refusal: Refusal) -> Answer {
    let body = format!("<p>{refusal}</p><p><a href=\"/\">To the book</a></p>");
    typed(html_page(&body), "text/html; charset=utf-8").with_status_code(refusal.status())
}

fn typed(bytes: Vec<u8>, kind: &str) -> Answer {
    Response::from_data(bytes).with_header(header("Content-Type", kind))
}

/// What every answer carries: it is what it says, is asked for anew each time, and is shown in no foreign frame.
fn secured(answer: Answer) -> Answer {
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "frame-ancestors 'self'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
    ]
    .into_iter()
    .fold(answer, |answer, (name, value)| {
        answer.with_header(header(name, value))
    })
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("names and values of ours are ASCII")
}
