//! Who may ask for what?
//!
//! A server on loopback is reached by every page that the reader's browser shows, and this one starts programs. What a
//! request must bring, by what it asks for:
//!
//! | | any page of the book | what happens (`events`) | doing something (POST) |
//! |---|---|---|---|
//! | `Host` names this server and its port: defeats DNS rebinding | yes | yes | yes |
//! | `Sec-Fetch-Site` | not another site's, but for a link that is followed | `same-origin` | `same-origin` |
//! | the cookie | to see progress and buttons | yes | yes |
//! | `Origin` is this server | | if there is one | yes |
//! | `Content-Type: application/json` and the page's key in `X-Book` | | | yes |
//!
//! `SameSite` looks at hosts and not at ports, so a page of another server on this machine sends the cookie; and a page
//! that is not open may not know the key. No single defense holds against all, see `book/check/attacks.mjs`.

use std::fs::File;
use std::io::{self, Read};

use weave::request::{Refusal, check_host};

use crate::http::Request;

/// 128 bits that nobody can guess, in hexadecimal.
pub struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    ///
    /// What `open(2)` and `read(2)` of `/dev/urandom` report.
    pub fn new() -> io::Result<Secret> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Secret(format!("{:032x}", u128::from_ne_bytes(bytes))))
    }

    /// The digits, for those who may know them.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it was guessed. How long this takes does not depend on how much of it was.
    pub fn is(&self, guess: &str) -> bool {
        let (known, guess) = (self.0.as_bytes(), guess.as_bytes());
        let differences = (0..known.len()).fold(0, |sum, at| {
            sum | (known[at] ^ guess.get(at).copied().unwrap_or(0))
        });
        std::hint::black_box(differences) == 0 && guess.len() == known.len()
    }
}

/// The server's door.
pub struct Gate {
    port: u16,
    /// In the printed address, and then in the cookie.
    token: Secret,
    /// In each page that the reader opens.
    key: Secret,
}

impl Gate {
    /// A door of its own for each run.
    ///
    /// # Errors
    ///
    /// As [`Secret::new`].
    pub fn new(port: u16) -> io::Result<Gate> {
        Ok(Gate {
            port,
            token: Secret::new()?,
            key: Secret::new()?,
        })
    }

    /// What is added to the printed address.
    pub fn query(&self) -> String {
        format!("token={}", self.token.reveal())
    }

    /// What a page of the reader's must know.
    pub fn key(&self) -> &str {
        self.key.reveal()
    }

    /// The cookie for who knows the token. Cookies do not tell ports apart, so its name does.
    pub fn cookie(&self) -> String {
        format!(
            "book-{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.port,
            self.token.reveal()
        )
    }

    /// Any request at all.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with its status.
    pub fn lets_in(&self, request: &Request) -> Result<(), Refusal> {
        check_host(&request.all("Host"), self.port)?;
        let follows_a_link = request.method == "GET"
            && request.one("Sec-Fetch-Mode") == Some("navigate")
            && request.one("Sec-Fetch-Dest") == Some("document");
        match request.all("Sec-Fetch-Site").as_slice() {
            [] | ["same-origin" | "none"] => Ok(()),
            _ if follows_a_link => Ok(()),
            _ => Err(Refusal::OtherSite),
        }
    }

    /// Whether the token of a printed address is ours; None when there is none.
    pub fn token_in(&self, query: &str) -> Option<bool> {
        let token = query
            .split('&')
            .find_map(|part| part.strip_prefix("token="))?;
        Some(self.token.is(token))
    }

    /// Whether it is the reader who asks: with the cookie of this run.
    pub fn knows(&self, request: &Request) -> bool {
        let name = format!("book-{}=", self.port);
        request
            .all("Cookie")
            .iter()
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(name.as_str()))
            .any(|token| self.token.is(token))
    }

    /// Who listens to what happens.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with its status.
    pub fn may_listen(&self, request: &Request) -> Result<(), Refusal> {
        if request.one("Sec-Fetch-Site") != Some("same-origin") {
            return Err(Refusal::OtherSite);
        }
        if !request.all("Origin").is_empty() {
            Gate::is_own_origin(request)?;
        }
        if self.knows(request) {
            Ok(())
        } else {
            Err(Refusal::Stranger)
        }
    }

    /// Who wants something done.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with its status.
    pub fn may_do(&self, request: &Request) -> Result<(), Refusal> {
        Gate::is_own_origin(request)?;
        self.may_listen(request)?;
        match request.one("Content-Type") {
            Some("application/json" | "application/json; charset=utf-8") => {}
            _ => return Err(Refusal::MediaType),
        }
        match request.one("X-Book") {
            Some(key) if self.key.is(key) => Ok(()),
            _ => Err(Refusal::Stranger),
        }
    }

    /// `Host` is one of ours already; the origin must be the same one.
    fn is_own_origin(request: &Request) -> Result<(), Refusal> {
        let origin = request
            .one("Origin")
            .and_then(|origin| origin.strip_prefix("http://"));
        match origin {
            Some(host) if Some(host) == request.one("Host") => Ok(()),
            _ => Err(Refusal::OtherSite),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_whole_or_not() {
        let secret = Secret::new().expect("the kernel has some");
        let digits = secret.reveal().to_owned();
        assert!(digits.len() == 32 && secret.is(&digits));
        assert!(!secret.is("") && !secret.is(&digits[..31]) && !secret.is(&format!("{digits}0")));
        let other = Secret::new().expect("the kernel has more");
        assert!(!secret.is(other.reveal()));
    }
}
