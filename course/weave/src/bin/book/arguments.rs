//! What may stand behind `cargo book`?

use std::path::PathBuf;

use lexopt::prelude::*;

const HELP: &str = "\
cargo book: shows the book on this machine, rebuilds it on change, and grades what you save

usage: cargo book [--open] [--port N]
       cargo book --build [--out DIR]

  --open      open it in the browser
  --port N    listen on this port of 127.0.0.1 and ::1 (without it, the kernel chooses one)
  --build     build and check the links, then end: 0 if the book is whole, 1 if not
  --out DIR   with --build: where to (without it, target/book/site)
  --help      this text";

pub struct Arguments {
    /// Only build, do not serve.
    pub build: bool,
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
            out: None,
            port: 0,
            open: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("build") => arguments.build = true,
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
        if arguments.out.is_some() && !arguments.build {
            return Err("--out needs --build".into());
        }
        Ok(Some(arguments))
    }
}

fn port(value: std::ffi::OsString) -> Result<u16, lexopt::Error> {
    let text = value.to_string_lossy();
    text.parse()
        .map_err(|_| format!("--port must be a number from 0 to 65535, not `{text}`").into())
}
