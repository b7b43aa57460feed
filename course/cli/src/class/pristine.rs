//! What is an answer laid over? The course as it was committed, its graders' dependencies compiled once, and the compiler's
//! own command lines written down, so that an answer costs two calls of the compiler and no cargo.
//!
//! Everything is below `target/course/class/<digest>/`, where the digest is that of the course and of the compiler. Nothing
//! in there is ever writable for an answer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use catalog::{Catalog, Exercise};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::compile::cargo;
use crate::process::{self, Cancel};
use crate::progress::write_atomically;
use crate::sources::files_below;
use crate::verify::workshop::target_directory;

/// The variable that makes this program write down a compiler's command line; its value is the folder.
const RECORD: &str = "COURSE_CLASS_RECORD";

/// The course as committed, ready to have answers laid over.
pub struct Pristine {
    /// `target/course/class/<digest>`.
    pub home: PathBuf,
    /// The course's files.
    pub tree: PathBuf,
    /// What cargo built.
    pub built: PathBuf,
    /// The toolchain's folder.
    pub sysroot: PathBuf,
    /// Of the course and the compiler: hexadecimal.
    pub digest: String,
    /// Where the files are from, in words.
    pub origin: String,
    /// Held as long as graders of other runs must not build here.
    _lock: fs::File,
}

/// A compiler's command line, as cargo gave it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Without the compiler itself.
    pub arguments: Vec<String>,
    /// What cargo put into its environment.
    pub environment: Vec<(String, String)>,
}

/// How an exercise's library and its grader are compiled.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// `network_order`.
    pub crate_name: String,
    /// The learner's library.
    pub library: Recorded,
    /// The grader.
    pub grader: Recorded,
}

impl Pristine {
    /// Copies the course, as git has it committed; where there is no git, from the working tree, with the kept stubs.
    ///
    /// # Errors
    ///
    /// When the course cannot be copied, or there is no compiler.
    pub fn new(catalog: &Catalog) -> Result<Pristine> {
        let root = &catalog.root;
        let compiler = said(Command::new("rustc").arg("-vV").current_dir(root))?;
        let sysroot = said(
            Command::new("rustc")
                .args(["--print", "sysroot"])
                .current_dir(root),
        )?;
        let committed = said(
            Command::new("git")
                .args(["rev-parse", "--show-prefix", "HEAD^{tree}"])
                .current_dir(root),
        );
        // An empty first line: the course is the repository's top folder.
        let committed = committed
            .ok()
            .and_then(|said| said.strip_prefix('\n').map(|tree| tree.trim().to_owned()));
        let (origin, contents) = match &committed {
            Some(tree) => (format!("git tree {tree}"), tree.clone()),
            None => (
                "the working tree, because there is no commit to take".to_owned(),
                fingerprint(catalog)?,
            ),
        };
        let digest = hex(&Sha256::digest(format!("class/1\n{contents}\n{compiler}")));
        let home = target_directory(root)?
            .join("course/class")
            .join(&digest[..16]);
        fs::create_dir_all(&home).with_context(|| format!("cannot write {}", home.display()))?;
        let lock = fs::File::create(home.join("lock"))?;
        if lock.try_lock().is_err() {
            eprintln!("note: another run grades against the same course; waiting for it");
            lock.lock()
                .context("waiting for another run that builds here")?;
        }
        forget_old(&home);
        let tree = home.join("tree");
        if !tree.exists() {
            let new = home.join("tree.new");
            let _ = fs::remove_dir_all(&new);
            fs::create_dir_all(&new)?;
            match &committed {
                Some(tree) => extract(root, tree, &new)?,
                None => copy(catalog, &new)?,
            }
            empty_solutions(&new.join("solutions"))?;
            fs::rename(&new, &tree)?;
        }
        Ok(Pristine {
            built: home.join("target"),
            tree,
            sysroot: sysroot.trim().into(),
            digest,
            origin,
            home,
            _lock: lock,
        })
    }

    /// Builds the graders of these exercises with the untouched answers in them, once, and gives how it is done.
    ///
    /// # Errors
    ///
    /// When cargo cannot build them.
    pub fn build(
        &self,
        exercises: &[&Exercise],
        mut status: impl FnMut(&str),
    ) -> Result<Vec<Recipe>> {
        let records = self.home.join("records");
        fs::create_dir_all(&records)?;
        let missing = |exercise: &Exercise| {
            ["lib", "grade"].iter().any(|what| {
                !records
                    .join(format!("{}.{what}.json", exercise.slug))
                    .exists()
            })
        };
        if exercises.iter().any(|exercise| missing(exercise)) {
            let mut command = cargo(&self.tree);
            command.args(["build", "--locked", "--offline", "--test", "grade"]);
            for exercise in exercises {
                command.args(["--package", &exercise.slug]);
            }
            for name in [
                "CARGO_ENCODED_RUSTFLAGS",
                "CARGO_BUILD_TARGET",
                "RUSTC",
                "RUSTC_WORKSPACE_WRAPPER",
                "RUSTC_BOOTSTRAP",
            ] {
                command.env_remove(name);
            }
            command
                .env("CARGO_TARGET_DIR", &self.built)
                .env("CARGO_INCREMENTAL", "0")
                .env("CARGO_PROFILE_DEV_DEBUG", "none")
                // Its names say which crate made them.
                .env("RUSTFLAGS", "-Csymbol-mangling-version=v0")
                .env("RUSTC_WRAPPER", std::env::current_exe()?)
                .env(RECORD, &records);
            let finished = process::run(
                &mut command,
                Duration::from_mins(60),
                &Cancel::default(),
                |line| status(line.trim()),
            )
            .context("cannot run cargo: is the Rust toolchain on your PATH?")?;
            if !finished.success() {
                bail!(
                    "cargo could not build the graders:\n{}",
                    String::from_utf8_lossy(&finished.stderr).trim_end()
                );
            }
        }
        exercises
            .iter()
            .map(|exercise| self.recipe(exercise, &records))
            .collect()
    }

    fn recipe(&self, exercise: &Exercise, records: &Path) -> Result<Recipe> {
        let read = |what: &str| {
            let path = records.join(format!("{}.{what}.json", exercise.slug));
            let text = fs::read_to_string(&path);
            let recorded = text.ok().and_then(|text| Recorded::parse(&text));
            recorded.with_context(|| {
                format!(
                    "{} is missing or damaged: delete {}",
                    path.display(),
                    self.home.display()
                )
            })
        };
        Ok(Recipe {
            crate_name: exercise.slug.replace('-', "_"),
            library: read("lib")?,
            grader: read("grade")?,
        })
    }
}

impl Recorded {
    fn parse(text: &str) -> Option<Recorded> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let environment = value["environment"].as_array()?.iter();
        Some(Recorded {
            arguments: value["arguments"]
                .as_array()?
                .iter()
                .map(text)
                .collect::<Option<_>>()?,
            environment: environment
                .map(|pair| Some((text(&pair[0])?, text(&pair[1])?)))
                .collect::<Option<_>>()?,
        })
    }

    /// The argument after this one.
    pub fn value(&self, option: &str) -> Option<&str> {
        let at = self
            .arguments
            .iter()
            .position(|argument| argument == option)?;
        self.arguments.get(at + 1).map(String::as_str)
    }

    /// The name of the file that is made: a library, or a grader.
    pub fn artifact(&self, library: bool) -> String {
        let name = self.value("--crate-name").unwrap_or_default();
        let extra = self.codegen("extra-filename=").unwrap_or_default();
        if library {
            format!("lib{name}{extra}.rlib")
        } else {
            format!("{name}{extra}")
        }
    }

    /// Where cargo had it put.
    pub fn path(&self, library: bool) -> PathBuf {
        Path::new(self.value("--out-dir").unwrap_or_default()).join(self.artifact(library))
    }

    fn codegen(&self, name: &str) -> Option<&str> {
        let mut pairs = self.arguments.windows(2).filter(|pair| pair[0] == "-C");
        pairs.find_map(|pair| pair[1].strip_prefix(name))
    }
}

/// Writes down what cargo wants of the compiler, and becomes the compiler, when this program was started in its place.
pub fn serve() -> Option<std::process::ExitCode> {
    use std::os::unix::process::CommandExt;
    let folder = std::env::var_os(RECORD)?;
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next()?;
    let arguments: Vec<_> = arguments.collect();
    let texts: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let recorded = Recorded {
        arguments: texts,
        environment: Vec::new(),
    };
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let own = recorded.value("--crate-name").unwrap_or_default();
    let what = match own {
        "grade" => Some("grade"),
        own if own == package.replace('-', "_")
            && recorded.value("--crate-type") == Some("lib") =>
        {
            Some("lib")
        }
        _ => None,
    };
    if let Some(what) = what {
        let environment: Vec<_> = std::env::vars()
            .filter(|(name, _)| {
                name.starts_with("CARGO_PKG_")
                    || name.starts_with("CARGO_MANIFEST")
                    || name == "CARGO_CRATE_NAME"
            })
            .collect();
        let text =
            json!({ "arguments": recorded.arguments, "environment": environment }).to_string();
        let path = Path::new(&folder).join(format!("{package}.{what}.json"));
        if let Err(error) = write_atomically(&path, text.as_bytes()) {
            eprintln!("{}: {error}", path.display());
            return Some(std::process::ExitCode::FAILURE);
        }
    }
    let error = Command::new(&compiler)
        .args(&arguments)
        .env_remove(RECORD)
        .exec();
    eprintln!("{}: {error}", compiler.display());
    Some(std::process::ExitCode::FAILURE)
}

/// Leaves of the reference answers what cargo needs to know of their packages, and no answer.
fn empty_solutions(solutions: &Path) -> Result<()> {
    if !solutions.is_dir() {
        return Ok(());
    }
    for file in files_below(solutions)? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            fs::write(solutions.join(file), "")?;
        }
    }
    Ok(())
}

/// Removes what was built for earlier states of the course, all but the last two. What another run holds stays.
fn forget_old(home: &Path) {
    let Some(Ok(entries)) = home.parent().map(fs::read_dir) else {
        return;
    };
    let mut old: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path != home)
        .filter_map(|path| Some((fs::metadata(path.join("lock")).ok()?.modified().ok()?, path)))
        .collect();
    old.sort();
    old.truncate(old.len().saturating_sub(2));
    for (_, path) in old {
        if fs::File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // What cannot be removed now is tried again in the next run.
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", name.display()))?;
    if !output.status.success() {
        bail!(
            "{}: {}",
            name.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `git archive`, unpacked.
fn extract(root: &Path, tree: &str, to: &Path) -> Result<()> {
    let archive = to.with_extension("tar");
    said(
        Command::new("git")
            .args(["archive", "--format=tar", "-o"])
            .arg(&archive)
            .arg(tree)
            .current_dir(root),
    )?;
    said(
        Command::new("tar")
            .args(["-x", "--no-same-owner", "-f"])
            .arg(&archive)
            .arg("-C")
            .arg(to),
    )?;
    Ok(fs::remove_file(&archive)?)
}

/// Folders that hold packages. Others may be results, or submissions.
const PACKAGES: [&str; 4] = ["chapters", "course", "exercises", "solutions"];

/// Files of the working tree that make up the course, below the root: their source, and where they go.
fn parts(catalog: &Catalog) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(&catalog.root)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        let kind = entry.file_type()?;
        let hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
        if kind.is_file() && !hidden {
            parts.push((name.clone(), name));
        } else if kind.is_dir() && PACKAGES.iter().any(|one| name == Path::new(one)) {
            for file in files_below(&entry.path())? {
                parts.push((name.join(&file), name.join(&file)));
            }
        }
    }
    for exercise in &catalog.exercises {
        let src = exercise.dir.join("src");
        parts.retain(|(_, to)| !to.starts_with(&src));
        for file in files_below(&catalog.at(&exercise.pristine))? {
            parts.push((exercise.pristine.join(&file), src.join(&file)));
        }
    }
    parts.sort_by(|one, other| one.1.cmp(&other.1));
    Ok(parts)
}

fn copy(catalog: &Catalog, to: &Path) -> Result<()> {
    for (from, below) in parts(catalog)? {
        let target = to.join(&below);
        fs::create_dir_all(target.parent().context("it has a parent")?)?;
        fs::copy(catalog.at(&from), &target).with_context(|| from.display().to_string())?;
    }
    Ok(())
}

fn fingerprint(catalog: &Catalog) -> Result<String> {
    let mut hash = Sha256::new();
    for (from, to) in parts(catalog)? {
        add(&mut hash, to.as_os_str().as_encoded_bytes());
        add(
            &mut hash,
            &fs::read(catalog.at(&from)).with_context(|| from.display().to_string())?,
        );
    }
    Ok(hex(&hash.finalize()))
}

/// Adds bytes so that no other bytes, cut elsewhere, come to the same.
pub fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
