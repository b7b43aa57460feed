//! What does the C compiler say?
//!
//! Some claims are about C: is there such a member, such a function, such a header? The compiler and
//! the linker are the judges. Where the machine has none, the experiment does not run.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::check::Check;
use crate::ensure;
use crate::finding::Finding;

/// A C compiler that finds the headers of the C library.
pub struct C<'c> {
    folder: &'c Path,
}

/// What came of a snippet.
pub enum Compiled {
    /// It compiled and linked without an error; this is what it printed when run.
    Printed(String),
    /// It did not; these are the messages.
    Refused(String),
}

impl C<'_> {
    /// Finds the compiler.
    ///
    /// # Errors
    ///
    /// "Not run" where there is none, or where it lacks the headers.
    pub fn compiler(cx: &Check) -> Result<C<'_>, Finding> {
        let c = C {
            folder: cx.folder()?,
        };
        // Without this, each wrong claim would be "right" on a machine on which nothing compiles.
        match c.run("#include <sys/socket.h>\n#include <stdio.h>\nint main(void) { return 0; }")? {
            Compiled::Printed(_) => Ok(c),
            Compiled::Refused(_) => Err(needs()),
        }
    }

    /// Compiles `body` as a program's `main`, with these headers and `stdio.h`, and runs it.
    ///
    /// # Errors
    ///
    /// As [`run`](C::run).
    pub fn program(&self, headers: &[&str], body: &str) -> Result<Compiled, Finding> {
        let headers = headers.join(">\n#include <");
        let source = format!(
            "#include <stdio.h>\n#include <{headers}>\nint main(void) {{ {body} return 0; }}\n"
        );
        self.run(&source)
    }

    /// Compiles a whole file and runs it. What old C let pass with a warning is an error here: an undeclared function and
    /// a pointer of the wrong type.
    ///
    /// # Errors
    ///
    /// A failure when the program ends badly; *not run* where it may not be started.
    pub fn run(&self, source: &str) -> Result<Compiled, Finding> {
        let file = self.folder.join("snippet.c");
        let program = self.folder.join("snippet");
        fs::write(&file, source)?;
        let compiler = Command::new("cc")
            .args([
                "-Werror=implicit-function-declaration",
                "-Werror=incompatible-pointer-types",
            ])
            .arg("-o")
            .arg(&program)
            .arg(&file)
            .env("LC_ALL", "C")
            .output()
            .map_err(|_| needs())?;
        if !compiler.status.success() {
            let messages = String::from_utf8_lossy(&compiler.stderr).into_owned();
            return Ok(Compiled::Refused(messages));
        }
        let ran = Command::new(&program)
            .output()
            .map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    Finding::needs("a directory that lets programs run: set TMPDIR to one")
                }
                _ => error.into(),
            })?;
        ensure!(
            ran.status.success(),
            "the snippet ended with {}",
            ran.status
        );
        Ok(Compiled::Printed(
            String::from_utf8_lossy(&ran.stdout).trim_end().into(),
        ))
    }
}

impl Compiled {
    /// Demands that it compiled. Returns what it printed.
    ///
    /// # Errors
    ///
    /// A failure, with the compiler's messages.
    pub fn works(self, cx: &Check, what: &str) -> Result<String, Finding> {
        match self {
            Compiled::Printed(output) => {
                cx.evidence(format!("{what}: compiles"));
                Ok(output)
            }
            Compiled::Refused(messages) => {
                Err(Finding::fail(format!("{what}: does not compile")).with_detail(messages))
            }
        }
    }

    /// Demands that the compiler or the linker refused it with a message that contains each of `words`.
    ///
    /// # Errors
    ///
    /// A failure when it compiled, or for another reason.
    pub fn refused(self, cx: &Check, what: &str, words: &[&str]) -> Result<(), Finding> {
        let Compiled::Refused(messages) = self else {
            return Err(Finding::fail(format!("{what}: compiles")));
        };
        // A message begins with the place, which says nothing here. Some linkers do not say "error".
        let message = messages.lines().find_map(|line| {
            let start = line
                .find("undefined")
                .or(line.find("error: ").map(|at| at + "error: ".len()));
            let message = &line[start?..];
            words
                .iter()
                .all(|word| message.contains(word))
                .then_some(message)
        });
        let Some(message) = message else {
            let wanted = words.join("\" with \"");
            return Err(
                Finding::fail(format!("{what}: no message says \"{wanted}\""))
                    .with_detail(messages),
            );
        };
        cx.evidence(format!("{what}: {message}"));
        Ok(())
    }
}

fn needs() -> Finding {
    Finding::needs("a C compiler named cc, with the headers of the C library")
}
