//! Does it compile? Cargo builds one test binary, and says where it is or what is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::paint;
use crate::process::{self, Cancel};

/// A first build on a slow machine takes minutes. Longer than this, and something is stuck.
const LIMIT: Duration = Duration::from_mins(20);

/// What came of a build.
pub enum Build {
    /// A test binary.
    Ready {
        /// Where it is.
        binary: PathBuf,
        /// What the compiler said about the package all the same, as it would show it.
        warnings: Vec<String>,
    },
    /// The compiler's errors and warnings, as it would show them.
    Rejected(String),
    /// Nobody waits for it any more.
    Canceled,
}

/// Cargo, for the workspace at `root`, without what another cargo that started us has put in the environment.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text == "CARGO_BIN_NAME"
        {
            command.env_remove(name);
        }
    }
    command
}

/// Builds the test target `test` of `package`. `status` is told what cargo is busy with.
///
/// # Errors
///
/// When cargo is not there, or fails for a reason that no compiler gave: a manifest it cannot read, a full disk.
pub fn test_binary(
    root: &Path,
    package: &str,
    test: &str,
    cancel: &Cancel,
    status: impl FnMut(&str),
) -> Result<Build> {
    built(
        root,
        package,
        ("test", test),
        &["test", "--no-run"],
        cancel,
        status,
    )
}

/// Builds the program `name` of `package`.
///
/// # Errors
///
/// As [`test_binary`].
pub fn program(
    root: &Path,
    package: &str,
    name: &str,
    cancel: &Cancel,
    status: impl FnMut(&str),
) -> Result<Build> {
    built(root, package, ("bin", name), &["build"], cancel, status)
}

fn built(
    root: &Path,
    package: &str,
    (kind, name): (&str, &str),
    words: &[&str],
    cancel: &Cancel,
    mut status: impl FnMut(&str),
) -> Result<Build> {
    let rendering = if paint::colors() {
        "json-diagnostic-rendered-ansi"
    } else {
        "json"
    };
    let mut command = cargo(root);
    command
        .args(words)
        .args(["--package", package, &format!("--{kind}"), name]);
    command.args(["--message-format", rendering]);
    let finished = process::run(&mut command, LIMIT, cancel, |line| status(line.trim()))
        .context("cannot run cargo: is the Rust toolchain on your PATH?")?;
    if cancel.canceled() {
        return Ok(Build::Canceled);
    }
    let said = Said::hear(&finished.stdout, package, kind, name);
    if !finished.success() {
        if said.errors == 0 {
            bail!(
                "cargo could not build {package}:\n{}",
                String::from_utf8_lossy(&finished.stderr).trim_end()
            );
        }
        return Ok(Build::Rejected(said.messages.concat()));
    }
    match said.binary {
        Some(binary) => Ok(Build::Ready {
            binary,
            warnings: said.messages,
        }),
        None => bail!(
            "cargo built no {kind} `{name}` of {package}: does its Cargo.toml have a [[{kind}]] of that name?"
        ),
    }
}

/// What cargo said on standard output, one JSON object a line.
#[derive(Default)]
pub struct Said {
    /// The test's binary.
    pub binary: Option<PathBuf>,
    /// What the compiler would have shown, without cargo's own summary of it.
    pub messages: Vec<String>,
    /// How many of them are errors.
    pub errors: usize,
}

impl Said {
    /// Keeps what concerns the test target, and messages about any package: a broken `lab` matters too.
    fn hear(output: &[u8], package: &str, kind: &str, name: &str) -> Said {
        let mut said = Said::default();
        for line in output.split(|byte| *byte == b'\n') {
            let Ok(event) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            match event["reason"].as_str() {
                Some("compiler-artifact")
                    if is(&event, kind, name) && package_name(&event) == package =>
                {
                    said.binary = event["executable"].as_str().map(PathBuf::from);
                }
                Some("compiler-message") => {
                    if let Some((rendered, error)) = message(&event["message"])
                        && (error || package_name(&event) == package)
                        && !said.messages.contains(&rendered)
                    {
                        said.errors += usize::from(error);
                        said.messages.push(rendered);
                    }
                }
                _ => {}
            }
        }
        said
    }
}

/// Whether an artifact is of the target `name` of this `kind`.
pub fn is(event: &Value, kind: &str, name: &str) -> bool {
    let target = &event["target"];
    target["name"] == name
        && target["kind"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|one| one == kind))
}

/// The package's name from its id: `path+file:///…/short-reads#0.1.0`, or `…/03-x#sockets@0.1.0`.
pub fn package_name(event: &Value) -> &str {
    let id = event["package_id"].as_str().unwrap_or_default();
    let (path, version) = id.rsplit_once('#').unwrap_or((id, ""));
    match version.rsplit_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next().unwrap_or_default(),
    }
}

/// What a compiler's message looks like, and whether it is an error. The counts at the end (`1 warning emitted`,
/// `aborting due to…`) are left out, as cargo leaves them out.
pub fn message(message: &Value) -> Option<(String, bool)> {
    let rendered = message["rendered"].as_str()?;
    let text = message["message"].as_str().unwrap_or_default();
    let summary = text.starts_with("aborting due to")
        || text.ends_with("warning emitted")
        || text.ends_with("warnings emitted");
    let error = message["level"]
        .as_str()
        .is_some_and(|level| level.starts_with("error"));
    (!summary).then(|| (rendered.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> Value {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_package_is_known_by_either_form_of_its_id() {
        let name =
            |id: &str| package_name(&event(&format!(r#"{{"package_id":"{id}"}}"#))).to_owned();
        assert_eq!(
            name("path+file:///c/exercises/03-x/short-reads#0.1.0"),
            "short-reads"
        );
        assert_eq!(
            name("path+file:///c/chapters/03-x#sockets@0.1.0"),
            "sockets"
        );
        assert_eq!(
            name("registry+https://example.org/index#libc@0.2.1"),
            "libc"
        );
    }

    #[test]
    fn the_compilers_own_counts_are_left_out() {
        let counted = event(r#"{"rendered":"x","message":"2 warnings emitted","level":"warning"}"#);
        assert_eq!(message(&counted), None);
        let error = event(r#"{"rendered":"x","message":"mismatched types","level":"error"}"#);
        assert_eq!(message(&error), Some(("x".into(), true)));
    }

    #[test]
    fn the_binary_of_the_test_is_found() {
        let output = concat!(
            r#"{"reason":"compiler-artifact","package_id":"path+file:///c/a#0.1.0","target":{"kind":["lib"],"name":"a"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","package_id":"path+file:///c/a#0.1.0","target":{"kind":["test"],"name":"grade"},"executable":"/t/grade-1"}"#,
        );
        assert_eq!(
            Said::hear(output.as_bytes(), "a", "test", "grade").binary,
            Some("/t/grade-1".into())
        );
        assert_eq!(
            Said::hear(output.as_bytes(), "b", "test", "grade").binary,
            None
        );
    }
}
