//! What may stand behind `cargo book`?

use std::path::PathBuf;

use lexopt::prelude::*;

const HELP: &str = "\
cargo book: shows the book on this machine, rebuilds it on change, and grades what you save

usage: cargo book [--open] [--port N]
       cargo book --build [--out DIR]
       cargo book --epub|--pdf [--lang LANGUAGE] [--out FILE]

  --open      open it in the browser
  --port N    listen on this port of 127.0.0.1 and ::1 (without it, the kernel chooses one)
  --build     build and check the links, then end: 0 if the book is whole, 1 if not
  --out DIR   with --build: where to (without it, target/book/site)
  --epub      write the book as an EPUB file, for readers of electronic books
  --pdf       print the book to a PDF file; Chromium does it, and has to be there
  --lang L    with --epub and --pdf: in which language, such as zh-CN (without it, en)
  --out FILE  with --epub and --pdf: which file (without it, in target/book)
  --help      this text";

/// What the book can be as one file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Epub,
    Pdf,
}

pub struct Arguments {
    /// Only build, do not serve.
    pub build: bool,
    /// Write one file instead.
    pub file: Option<Format>,
    /// In this language.
    pub language: String,
    /// Where to build.
    pub out: Option<PathBuf>,
    /// 0 lets the kernel choose.
    pub port: u16,
    /// Open the browser.
    pub open: bool,
}

impl Arguments {
    /// The arguments, or None when they asked for help and it is printed.
    pub fn read() -> Result<Option<Arguments>, lexopt::Error> {
        let mut arguments = Arguments {
            build: false,
            file: None,
            language: catalog::ENGLISH.to_owned(),
            out: None,
            port: 0,
            open: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("build") => arguments.build = true,
                Long("epub") => arguments.file = Some(Format::Epub),
                Long("pdf") => arguments.file = Some(Format::Pdf),
                Long("lang") => arguments.language = parser.value()?.string()?,
                Long("out") => arguments.out = Some(parser.value()?.into()),
                Long("open") => arguments.open = true,
                Long("port") => arguments.port = port(parser.value()?)?,
                Long("help") | Short('h') => {
                    println!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected()),
            }
        }
        if arguments.out.is_some() && !arguments.build && arguments.file.is_none() {
            return Err("--out needs --build, --epub or --pdf".into());
        }
        Ok(Some(arguments))
    }
}

fn port(value: std::ffi::OsString) -> Result<u16, lexopt::Error> {
    let text = value.to_string_lossy();
    text.parse()
        .map_err(|_| format!("--port must be a number from 0 to 65535, not `{text}`").into())
}
