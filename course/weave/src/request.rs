//! Which requests does the book's server answer, and with which file?
//!
//! A server on loopback is reached by every page that the reader's browser shows. So each request must name this server
//! as its host, exactly and with the port (a page of another name that points here is refused, which is what defeats DNS
//! rebinding), may only read, and gets only files that really lie below the book's folder.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::site::percent_decode;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It names no host, or more than one.
    Host,
    /// It names another host: somebody else's page sent it.
    OtherHost,
    /// It is neither GET nor HEAD.
    Method,
    /// Its target is not a path of a site.
    Target,
    /// There is no such file.
    NotFound,
    /// Somebody else's page sent it, under our name.
    OtherSite,
    /// It does not bring what only the reader's pages know.
    Stranger,
    /// It wants something done, and is not JSON.
    MediaType,
}

impl Refusal {
    /// The status of the answer (RFC 9110, section 15.5).
    pub fn status(self) -> u16 {
        match self {
            Refusal::Host | Refusal::Target => 400,
            Refusal::OtherHost | Refusal::OtherSite | Refusal::Stranger => 403,
            Refusal::NotFound => 404,
            Refusal::Method => 405,
            Refusal::MediaType => 415,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Host => "The request must name one host.",
            Refusal::OtherHost => {
                "This is another host's address. Open the address that `cargo book` printed."
            }
            Refusal::Method => "This is only to be read: GET or HEAD.",
            Refusal::Target => "This is not the path of a page.",
            Refusal::NotFound => "There is no such page.",
            Refusal::OtherSite => {
                "Another site's page asks for this. Only the book's own pages may."
            }
            Refusal::Stranger => "Open the address that `cargo book` printed, with its token.",
            Refusal::MediaType => "What is to be done must be said in JSON.",
        })
    }
}

/// Whether the request names this server, which listens on `port` of 127.0.0.1 and ::1.
///
/// # Errors
///
/// [`Refusal::Host`], [`Refusal::OtherHost`].
pub fn check_host(hosts: &[&str], port: u16) -> Result<(), Refusal> {
    let [host] = hosts else {
        return Err(Refusal::Host);
    };
    // A browser leaves the port out where it is the scheme's own.
    let ours = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| *host == format!("{name}:{port}") || (port == 80 && host == name));
    if ours {
        Ok(())
    } else {
        Err(Refusal::OtherHost)
    }
}

/// The file below `root` that a request's target names; for a folder its `index.html`.
///
/// `root` must be canonical.
///
/// # Errors
///
/// [`Refusal::Target`] for what no honest browser sends: `..`, `//`, `\`, NUL, bad encoding. [`Refusal::NotFound`] when
/// there is no such file, and also when a symbolic link leads out of `root`.
pub fn file_of(target: &str, root: &Path) -> Result<PathBuf, Refusal> {
    let path = target.split(['?', '#']).next().unwrap_or("");
    let path = percent_decode(path).ok_or(Refusal::Target)?;
    let path = path.strip_prefix('/').ok_or(Refusal::Target)?;
    let mut file = root.to_owned();
    for part in path.split_inclusive('/') {
        let name = part.strip_suffix('/').unwrap_or(part);
        if matches!(name, "" | "." | "..") || name.contains(['\\', '\0']) {
            return Err(Refusal::Target);
        }
        file.push(name);
    }
    if path.is_empty() || path.ends_with('/') {
        file.push("index.html");
    }
    let file = file.canonicalize().map_err(|_| Refusal::NotFound)?;
    if file.starts_with(root) && file.is_file() {
        Ok(file)
    } else {
        Err(Refusal::NotFound)
    }
}

/// The media type of a file, by its ending.
pub fn media_type(file: &Path) -> &'static str {
    match file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or("")
    {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_with_this_port_is_ours() {
        for host in ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"] {
            assert_eq!(check_host(&[host], 8000), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8000",
            "127.0.0.1",
            "localhost",
            "127.0.0.1:80",
            "127.0.0.1:8000.evil.example",
            "LOCALHOST:8000 ",
            "",
        ] {
            assert_eq!(check_host(&[host], 8000), Err(Refusal::OtherHost), "{host}");
        }
        assert_eq!(check_host(&["localhost"], 80), Ok(()));
        assert_eq!(check_host(&[], 8000), Err(Refusal::Host));
        assert_eq!(
            check_host(&["localhost:8000", "evil.example"], 8000),
            Err(Refusal::Host)
        );
    }

    #[test]
    fn only_files_below_the_root_are_given() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let base = dir.path().canonicalize().expect("it exists");
        let root = base.join("site");
        std::fs::create_dir_all(root.join("sub dir")).expect("made");
        for file in [
            "site/index.html",
            "site/sub dir/index.html",
            "secret",
            "site/a.css",
        ] {
            std::fs::write(base.join(file), "").expect("written");
        }
        std::os::unix::fs::symlink(base.join("secret"), root.join("link")).expect("linked");
        std::os::unix::fs::symlink(&base, root.join("up")).expect("linked");
        let file = |target: &str| file_of(target, &root);

        assert_eq!(file("/"), Ok(root.join("index.html")));
        assert_eq!(file("/a.css?v=1#x"), Ok(root.join("a.css")));
        assert_eq!(file("/sub%20dir/"), Ok(root.join("sub dir/index.html")));
        for target in ["/link", "/up/secret", "/none", "/sub%20dir", "/a.css/x"] {
            assert_eq!(file(target), Err(Refusal::NotFound), "{target}");
        }
        for target in [
            "",
            "a.css",
            "http://127.0.0.1/a.css",
            "/../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/sub%20dir/../a.css",
            "//secret",
            "/.//a.css",
            "/a%00",
            "/..\\secret",
            "/%zz",
            "/%f",
            "/%ff",
            "*",
        ] {
            assert_eq!(file(target), Err(Refusal::Target), "{target}");
        }
    }
}
