// ANCHOR: run
//! How does a small program take its arguments, print, fail and end?

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// What a program's work ends with.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Runs `work` with the arguments and with standard output, and says in one line why
/// it failed.
///
/// Output that nobody reads any more, as in `frame-anatomy | head -1`, is an end and
/// no failure.
pub fn run(
    usage: &str,
    work: impl FnOnce(&[&str], &mut dyn Write) -> Outcome,
) -> ExitCode {
    match with_arguments(usage, work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed too, and then there is nobody to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// As [`run`], for a program that takes no arguments.
pub fn run_alone(
    usage: &str,
    work: impl FnOnce(&mut dyn Write) -> Outcome,
) -> ExitCode {
    run(usage, |arguments, out| match arguments {
        [] => work(out),
        _ => Err(format!("there is nothing to tell this program; {usage}").into()),
    })
}

fn with_arguments(
    usage: &str,
    work: impl FnOnce(&[&str], &mut dyn Write) -> Outcome,
) -> Outcome {
    let arguments: Result<Vec<String>, OsString> =
        std::env::args_os().skip(1).map(OsString::into_string).collect();
    let arguments = arguments
        .map_err(|bad| format!("{} is not UTF-8; {usage}", bad.display()))?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::stdout().lock();
    match arguments[..] {
        ["-h" | "--help"] => Ok(writeln!(out, "{usage}")?),
        _ => work(&arguments, &mut out),
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
// ANCHOR_END: run
