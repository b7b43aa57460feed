//! The preprocessor as a command, for a stock mdBook 0.5: `mdbook build book`.
//!
//! `book/book.toml` names the renderers that it is for. mdBook then does not ask `mdbook-weave supports …` first, and a
//! preprocessor that cannot be built or started fails the build; when asked, mdBook takes any failure for "not supported"
//! and writes the book without it.

use std::io::{self, Read, Write};
use std::process::ExitCode;

const HELP: &str = "\
mdbook-weave: puts listings, claims and exercises into the pages of the book

usage: mdbook-weave                     a preprocessor of mdBook 0.5: JSON in, JSON out
       mdbook-weave supports RENDERER   exits 0 if RENDERER is html

To build the book, run `cargo book`, or `mdbook build book` with a stock mdBook 0.5.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => preprocess(),
        ["supports", "html"] => ExitCode::SUCCESS,
        ["supports", _] => ExitCode::FAILURE,
        ["--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "mdbook-weave: unknown arguments `{}`; see mdbook-weave --help",
                arguments.join(" ")
            );
            ExitCode::from(2)
        }
    }
}

fn preprocess() -> ExitCode {
    let mut input = String::new();
    let woven = match io::stdin().read_to_string(&mut input) {
        Ok(_) => weave::protocol::preprocess(&input).map_err(|failure| failure.to_string()),
        Err(error) => Err(format!("the input cannot be read: {error}")),
    };
    let written = woven.and_then(|woven| {
        io::stdout()
            .write_all(woven.as_bytes())
            .map_err(|error| format!("the book cannot be written: {error}"))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}
