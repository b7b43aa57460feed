//! How do bytes become a request, and an answer bytes? HTTP/1.1 (RFC 9112) for readers on this machine, and no more.
//!
//! One request a connection, each connection in a thread of its own, so nobody waits behind anybody. A client that asks
//! slowly or never stops reading cannot hold the server up either: a request must be whole within [`PATIENCE`], a write
//! must get on within it, and where more than [`MOST`] connections are open, the oldest that has not asked yet is
//! cut off. The parser is httparse, which reads heads and nothing else.
//!
//! [`serve`] is the seam: whoever turns connections into calls of `answer` can take its place.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A request must be whole within this time, and a client must take what is written within it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest head of a request, in bytes. Cookies of other servers on this machine come along.
const HEAD: usize = 32 * 1024;
/// The most fields of a head.
const FIELDS: usize = 100;
/// The longest body of a request, in bytes.
const BODY: usize = 1024;
/// The most connections at a time.
const MOST: usize = 200;

/// What was asked.
pub struct Request {
    /// `GET`
    pub method: String,
    /// `/03-sockets-introduction.html?print`
    pub target: String,
    fields: Vec<(String, String)>,
    /// What came after the head.
    pub body: Vec<u8>,
}

impl Request {
    /// The values of each field of this name, in any case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The value of a field that stands exactly once.
    pub fn one(&self, name: &str) -> Option<&str> {
        match self.all(name).as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// What cannot be understood: the status of the answer (RFC 9110, section 15.5), and why in a sentence.
pub struct Misunderstood(pub u16, pub &'static str);

/// What is answered.
pub struct Answer {
    /// RFC 9110, section 15.
    pub status: u16,
    /// Names and values.
    pub fields: Vec<(&'static str, String)>,
    /// All of it, or a voice.
    pub body: Body,
}

/// What comes after the head.
pub enum Body {
    /// These bytes. For HEAD they are counted and not sent.
    Whole(Vec<u8>),
    /// What this writes until it fails or ends.
    Going(Box<Voice>),
}

/// Writes until it fails or ends.
pub type Voice = dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send;

impl Answer {
    /// An answer of this type.
    pub fn new(status: u16, kind: &str, body: Vec<u8>) -> Answer {
        Answer {
            status,
            fields: vec![("Content-Type", kind.to_owned())],
            body: Body::Whole(body),
        }
    }

    /// The same with one field more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.fields.push((name, value.into()));
        self
    }
}

/// Answers each request that comes to `listener`, from now on.
pub fn serve(
    listener: TcpListener,
    answer: impl Fn(Result<Request, Misunderstood>) -> Answer + Send + Sync + 'static,
) {
    let (answer, open) = (Arc::new(answer), Arc::new(Open::default()));
    std::thread::spawn(move || {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                // No descriptor is free, or the client has gone already; both pass.
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            let (answer, open) = (answer.clone(), open.clone());
            let Ok(place) = Place::take(&open, &stream) else {
                continue;
            };
            // Where no thread can be had, the connection closes, and the next may have more luck.
            _ = std::thread::Builder::new().spawn(move || {
                _ = converse(stream, &place, &*answer);
            });
        }
    });
}

fn converse(
    mut stream: TcpStream,
    place: &Place,
    answer: &dyn Fn(Result<Request, Misunderstood>) -> Answer,
) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let read = read_request(&mut stream)?;
    place.asked();
    let only_head = read.as_ref().is_ok_and(|request| request.method == "HEAD");
    let Answer {
        status,
        fields,
        body,
    } = answer(read);
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &fields {
        head += &format!("{name}: {value}\r\n");
    }
    head += "Connection: close\r\n";
    match body {
        Body::Whole(bytes) => {
            head += &format!("Content-Length: {}\r\n\r\n", bytes.len());
            stream.write_all(head.as_bytes())?;
            if !only_head {
                stream.write_all(&bytes)?;
            }
        }
        Body::Going(go) => {
            stream.write_all((head + "\r\n").as_bytes())?;
            go(&mut stream)?;
        }
    }
    linger(&mut stream)
}

/// Closes so that the client can read the answer: what it still sends is thrown away for a moment, since closing with
/// bytes unread resets the connection (RFC 9112, section 9.6).
fn linger(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let end = Instant::now() + Duration::from_secs(2);
    let mut thrown_away = [0; 4096];
    while let Some(left) = end.checked_duration_since(Instant::now())
        && !left.is_zero()
    {
        stream.set_read_timeout(Some(left))?;
        if stream.read(&mut thrown_away)? == 0 {
            break;
        }
    }
    Ok(())
}

/// A request, or why it is none; an error when there is nobody to answer.
fn read_request(stream: &mut TcpStream) -> io::Result<Result<Request, Misunderstood>> {
    let end = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let (mut request, length, start) = loop {
        match head(&bytes) {
            Ok(Some(head)) => break head,
            Ok(None) if bytes.len() >= HEAD => {
                return Ok(Err(Misunderstood(
                    431,
                    "The head of the request is too long.",
                )));
            }
            Ok(None) => {}
            Err(what) => return Ok(Err(what)),
        }
        match more(stream, &mut bytes, end) {
            Ok(true) => {}
            // Browsers open connections that they may never need.
            Ok(false) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(_) if bytes.is_empty() => return Err(ErrorKind::TimedOut.into()),
            Err(_) => return Ok(Err(Misunderstood(408, "The request did not end in time."))),
        }
    };
    if length > BODY {
        return Ok(Err(Misunderstood(413, "The request is too long.")));
    }
    while bytes.len() < start + length {
        match more(stream, &mut bytes, end) {
            Ok(true) => {}
            _ => return Ok(Err(Misunderstood(408, "The request did not end in time."))),
        }
    }
    request.body = bytes[start..start + length].to_vec();
    Ok(Ok(request))
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>, end: Instant) -> io::Result<bool> {
    let left = end.saturating_duration_since(Instant::now());
    // A timeout of zero would mean none.
    stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(count) => {
                bytes.extend(&piece[..count]);
                return Ok(count > 0);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The head of a request once it is whole, how long its body is, and where that begins.
fn head(bytes: &[u8]) -> Result<Option<(Request, usize, usize)>, Misunderstood> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let start = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Misunderstood(431, "The request has too many fields."));
        }
        Err(_) => return Err(Misunderstood(400, "This is not HTTP.")),
    };
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err(Misunderstood(400, "This is not HTTP."));
    };
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: Vec::new(),
        body: Vec::new(),
    };
    for field in parsed.headers {
        // Latin-1 was allowed once (RFC 9110, section 5.5); nobody who is let in sends it.
        let value = std::str::from_utf8(field.value)
            .map_err(|_| Misunderstood(400, "A field of the request is no text."))?;
        request
            .fields
            .push((field.name.to_owned(), value.to_owned()));
    }
    if !request.all("Transfer-Encoding").is_empty() {
        return Err(Misunderstood(501, "The request's length must be given."));
    }
    let length = match request.all("Content-Length").as_slice() {
        [] => 0,
        // `parse` alone takes `+5`.
        [length] if length.bytes().all(|byte| byte.is_ascii_digit()) => length
            .parse()
            .map_err(|_| Misunderstood(413, "The request is too long."))?,
        _ => {
            return Err(Misunderstood(
                400,
                "The request's length cannot be understood.",
            ));
        }
    };
    Ok(Some((request, length, start)))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        303 => "See Other",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Bad Request",
    }
}

/// The connections that are open, oldest first.
#[derive(Default)]
struct Open(Mutex<Vec<Connection>>);

struct Connection {
    stream: Arc<TcpStream>,
    /// Its request is whole.
    asked: bool,
}

/// A connection's entry, as long as its thread runs.
struct Place {
    open: Arc<Open>,
    stream: Arc<TcpStream>,
}

impl Place {
    fn take(open: &Arc<Open>, stream: &TcpStream) -> io::Result<Place> {
        let stream = Arc::new(stream.try_clone()?);
        let mut connections = open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.len() >= MOST {
            let idle = connections.iter().position(|one| !one.asked).unwrap_or(0);
            // Its thread reads the end of the file, and leaves.
            _ = connections.remove(idle).stream.shutdown(Shutdown::Both);
        }
        connections.push(Connection {
            stream: stream.clone(),
            asked: false,
        });
        drop(connections);
        Ok(Place {
            open: open.clone(),
            stream,
        })
    }

    fn asked(&self) {
        self.change(|connections, at| connections[at].asked = true);
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Connection>, usize)) {
        let mut connections = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = |one: &Connection| Arc::ptr_eq(&one.stream, &self.stream);
        if let Some(at) = connections.iter().position(mine) {
            change(&mut connections, at);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.change(|connections, at| drop(connections.remove(at)));
    }
}
