//! Where are stubs, solutions and mistakes built? In a workspace of its own below `target/`, a package each, whose
//! library is the variant and whose test is the exercise's own grader, both where they are: nothing is copied.
//!
//! One cargo builds them all, as parallel as it can.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use catalog::{Catalog, Exercise};
use serde_json::Value;

use crate::compile::{self, cargo};
use crate::process::{self, Cancel};
use crate::progress::write_atomically;

/// What takes the place of the learner's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The stub as it was at first.
    Stub,
    /// The reference answer.
    Solution,
    /// The mistake of this number in the exercise's list.
    Mistake(usize),
}

/// One answer to one exercise, to be graded.
pub struct Variant<'a> {
    /// Which exercise.
    pub exercise: &'a Exercise,
    /// Which answer.
    pub which: Which,
}

impl Variant<'_> {
    /// The answer's file, below the root.
    pub fn file(&self) -> PathBuf {
        match self.which {
            Which::Stub => self.exercise.pristine.join("lib.rs"),
            Which::Solution => self.exercise.solution.join("src/lib.rs"),
            Which::Mistake(number) => self.exercise.mistakes[number].file.clone(),
        }
    }

    /// The name of its package in the workshop.
    pub fn package(&self) -> String {
        match self.which {
            Which::Stub => format!("{}--stub", self.exercise.slug),
            Which::Solution => format!("{}--solution", self.exercise.slug),
            Which::Mistake(number) => format!(
                "{}--{}",
                self.exercise.slug, self.exercise.mistakes[number].name
            ),
        }
    }
}

/// What came of building one variant.
#[derive(Default)]
pub struct Built {
    /// Its grader; `None` when it does not compile.
    pub binary: Option<PathBuf>,
    /// What the compiler said.
    pub messages: Vec<String>,
}

/// Builds all variants; the answer is by package.
///
/// # Errors
///
/// When the workshop cannot be written, or cargo fails for a reason that no compiler gave.
pub fn build(
    catalog: &Catalog,
    variants: &[Variant],
    status: impl FnMut(&str),
) -> Result<HashMap<String, Built>> {
    let root = &catalog.root;
    let target = target_directory(root)?;
    let shop = target.join("course/verify");
    set_up(catalog, variants, &shop).with_context(|| format!("cannot write {}", shop.display()))?;
    let mut status = status;
    let mut command = cargo(&shop);
    command.args([
        "build",
        "--workspace",
        "--test",
        "grade",
        "--keep-going",
        "--message-format",
        "json",
    ]);
    command.env("CARGO_TARGET_DIR", shop.join("target"));
    let finished = process::run(
        &mut command,
        Duration::from_mins(60),
        &Cancel::default(),
        |line| status(line.trim()),
    )?;
    let mut built: HashMap<String, Built> = HashMap::new();
    let mut heard_error = false;
    for line in finished.stdout.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let variant = built
            .entry(compile::package_name(&event).to_owned())
            .or_default();
        match event["reason"].as_str() {
            Some("compiler-artifact") if compile::is(&event, "test", "grade") => {
                variant.binary = event["executable"].as_str().map(PathBuf::from);
            }
            Some("compiler-message") => {
                if let Some((rendered, error)) = compile::message(&event["message"]) {
                    heard_error |= error;
                    variant.messages.push(rendered);
                }
            }
            _ => {}
        }
    }
    if !finished.success() && !heard_error {
        bail!(
            "cargo could not build the graders:\n{}",
            String::from_utf8_lossy(&finished.stderr).trim_end()
        );
    }
    Ok(built)
}

/// Where cargo builds for the workspace at `root`.
///
/// # Errors
///
/// When cargo cannot read the workspace; its message says why.
pub fn target_directory(root: &Path) -> Result<PathBuf> {
    let mut command = cargo(root);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let finished = process::run(
        &mut command,
        Duration::from_mins(2),
        &Cancel::default(),
        |_| {},
    )
    .context("cannot run cargo: is the Rust toolchain on your PATH?")?;
    if !finished.success() {
        bail!(
            "{}",
            String::from_utf8_lossy(&finished.stderr)
                .trim()
                .trim_start_matches("error: ")
        );
    }
    let metadata: Value = serde_json::from_slice(&finished.stdout).context("cargo metadata")?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")
}

fn set_up(catalog: &Catalog, variants: &[Variant], shop: &Path) -> Result<()> {
    let root = &catalog.root;
    let mut members = String::new();
    for variant in variants {
        let exercise = variant.exercise;
        let dir = catalog.at(&exercise.dir);
        let package = variant.package();
        let manifest = fs::read_to_string(dir.join("Cargo.toml"))?;
        let tables = tables(&manifest, &["dependencies", "dev-dependencies"]);
        let text = format!(
            "[package]\nname = {package:?}\nversion = \"0.0.0\"\nedition.workspace = true\npublish = false\n\n\
             [lib]\nname = {name:?}\npath = {lib:?}\ndoctest = false\n\n\
             [[test]]\nname = \"grade\"\npath = {grader:?}\nharness = false\n\n{tables}",
            name = exercise.slug.replace('-', "_"),
            lib = catalog.at(variant.file()),
            grader = catalog.at(&exercise.grader),
            tables = absolute(&tables, &dir),
        );
        write_if_new(
            &shop.join("packages").join(&package).join("Cargo.toml"),
            &text,
        )?;
        let _ = writeln!(members, "  \"packages/{package}\",");
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let shared = absolute(
        &tables(
            &manifest,
            &["workspace.package", "workspace.dependencies", "profile"],
        ),
        root,
    );
    let resolver = manifest
        .lines()
        .find(|line| line.starts_with("resolver"))
        .unwrap_or("resolver = \"3\"");
    let text = format!("[workspace]\n{resolver}\nmembers = [\n{members}]\n\n{shared}");
    write_if_new(&shop.join("Cargo.toml"), &text)?;
    if let Ok(lock) = fs::read(root.join("Cargo.lock")) {
        write_atomically(&shop.join("Cargo.lock"), &lock)?;
    }
    Ok(())
}

/// Cargo builds again what has a newer manifest.
pub fn write_if_new(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("it has a parent")?)?;
    Ok(write_atomically(path, text.as_bytes())?)
}

/// The tables of a manifest that are called one of `names`, or lie below one of that name, as they are written.
pub fn tables(manifest: &str, names: &[&str]) -> String {
    let mut text = String::new();
    let mut wanted = false;
    for line in manifest.lines() {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            wanted = names.iter().any(|name| {
                header
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
        }
        if wanted {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// The same tables with their relative paths counted from `dir`.
pub fn absolute(tables: &str, dir: &Path) -> String {
    tables.replace("path = \"", &format!("path = \"{}/", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"a\"\n\n[dependencies]\nnix = { workspace = true }\n\n\
                            [dependencies.lab]\npath = \"../lab\"\n\n[lib]\ndoctest = false\n\n[dev-dependencies]\nlab.workspace = true\n";

    #[test]
    fn tables_are_taken_with_those_below_them() {
        let text = tables(MANIFEST, &["dependencies", "dev-dependencies"]);
        assert!(text.starts_with("[dependencies]\nnix = "));
        assert!(
            text.contains("[dependencies.lab]\n")
                && text.contains("[dev-dependencies]\nlab.workspace")
        );
        assert!(!text.contains("[lib]") && !text.contains("[package]"));
    }

    #[test]
    fn a_table_is_not_taken_for_the_beginning_of_its_name() {
        assert_eq!(tables("[profile-of-us]\na = 1\n", &["profile"]), "");
    }

    #[test]
    fn paths_become_absolute() {
        assert_eq!(
            absolute("lab = { path = \"course/lab\" }", Path::new("/c")),
            "lab = { path = \"/c/course/lab\" }"
        );
    }
}
