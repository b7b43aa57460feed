//! What is an answer worth? Compiles it, looks at what came of it, runs the grader, all in sandboxes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use catalog::Exercise;
use sha2::{Digest, Sha256};

use super::inspect::{self, Program};
use super::jail;
use super::place::Place;
use super::pristine::{self, Pristine, Recipe, Recorded, hex};
use super::result::{Outcome, Result as Graded};
use super::sandbox::{Ended, Order, REPORT_FD, Shown};
use super::submission::Answer;
use crate::report::{Check, Report};

/// An exercise, ready to grade answers to it.
pub struct Desk<'a> {
    /// Which.
    pub exercise: &'a Exercise,
    recipe: Recipe,
    identity: Option<String>,
    reference: Program,
    /// What the grader checks, as it reported of the untouched exercise.
    checks: Vec<Check>,
    untouched: Vec<(PathBuf, Vec<u8>)>,
}

/// A place to work at; one for each job that runs at a time.
pub struct Bench<'a> {
    /// The course.
    pub pristine: &'a Pristine,
    /// A folder of its own.
    pub folder: PathBuf,
    /// With namespaces.
    pub sandboxed: bool,
    /// Limits.
    pub limits: Limits,
}

/// How much an answer may take.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Processor time of the compiler.
    pub compile: Duration,
    /// Time by the clock for all checks together.
    pub run: Duration,
    /// Factor on times by the clock.
    pub scale: u32,
}

impl Limits {
    /// The usual ones; `CLASS_COMPILE_SECONDS`, `CLASS_RUN_SECONDS` and `LAB_TIME_SCALE` change them.
    pub fn from_environment() -> Limits {
        let number = |name: &str, usual: u64| {
            let set = std::env::var(name).ok().and_then(|set| set.parse().ok());
            set.unwrap_or(usual).clamp(1, 3600)
        };
        Limits {
            compile: Duration::from_secs(number("CLASS_COMPILE_SECONDS", 30)),
            run: Duration::from_secs(number("CLASS_RUN_SECONDS", 120)),
            scale: number("LAB_TIME_SCALE", 1) as u32,
        }
    }
}

impl<'a> Desk<'a> {
    /// Runs the grader of the untouched exercise: what it checks is what every answer must be checked for.
    ///
    /// # Errors
    ///
    /// When the untouched grader does not even report.
    pub fn new(exercise: &'a Exercise, recipe: Recipe, bench: &Bench) -> Result<Desk<'a>> {
        let pristine = bench.pristine;
        let library = recipe.library.path(true);
        let program = recipe.grader.path(false);
        let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
        let src = pristine.tree.join(&exercise.dir).join("src");
        let mut untouched = Vec::new();
        for file in crate::sources::files_below(&src)? {
            untouched.push((file.clone(), read(&src.join(file))?));
        }
        let mut desk = Desk {
            exercise,
            identity: inspect::identity(&read(&library)?, &recipe.crate_name),
            reference: Program::read(&read(&program)?).map_err(anyhow::Error::msg)?,
            recipe,
            checks: Vec::new(),
            untouched,
        };
        bench.lay_out(&desk, &desk.untouched)?;
        fs::copy(
            &program,
            bench.out().join(desk.recipe.grader.artifact(false)),
        )?;
        let (report, ended, _) = bench.run_grader(&desk)?;
        if !report.ended || report.checks.is_empty() {
            anyhow::bail!(
                "the grader of {} does not report here: it {}\n{}",
                exercise.slug,
                ended.how(),
                ended.output.trim_end()
            );
        }
        desk.checks = report.checks;
        Ok(desk)
    }

    /// All points that can be had.
    pub fn of(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }

    /// The digest of the course, the compiler, the exercise and an answer.
    pub fn digest(&self, pristine: &Pristine, answer: &Answer) -> String {
        let mut hash = Sha256::new();
        for text in [
            &pristine.digest,
            &self.exercise.slug,
            answer.refused.as_ref().unwrap_or(&String::new()),
        ] {
            pristine::add(&mut hash, text.as_bytes());
        }
        for (path, bytes) in &answer.files {
            pristine::add(&mut hash, path.as_os_str().as_encoded_bytes());
            pristine::add(&mut hash, bytes);
        }
        hex(&hash.finalize())
    }

    fn is_untouched(&self, answer: &Answer) -> bool {
        answer
            .files
            .iter()
            .all(|file| self.untouched.contains(file))
    }

    /// The untouched files with the answer's over them.
    fn laid_over(&self, answer: &Answer) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = answer.files.clone();
        for file in &self.untouched {
            if !files.iter().any(|(path, _)| *path == file.0) {
                files.push(file.clone());
            }
        }
        files
    }
}

impl Bench<'_> {
    /// Grades an answer. Never fails: what goes wrong here is a fault, and said in the result.
    pub fn grade(&self, desk: &Desk, answer: &Answer) -> Graded {
        let began = Instant::now();
        let mut graded = Graded::new(desk.exercise, desk.of(), desk.digest(self.pristine, answer));
        graded.files = answer
            .files
            .iter()
            .map(|(path, _)| format!("src/{}", path.display()))
            .collect();
        graded.ignored.clone_from(&answer.ignored);
        if let Err(error) = self.attempt(desk, answer, &mut graded) {
            graded.end(
                Outcome::Fault,
                format!("the machine, not the answer: {error:#}"),
            );
        }
        graded.wall = began.elapsed();
        graded
    }

    fn attempt(&self, desk: &Desk, answer: &Answer, graded: &mut Graded) -> Result<()> {
        if let Some(why) = &answer.refused {
            graded.end(Outcome::Refused, why.clone());
            return Ok(());
        }
        if desk.is_untouched(answer) {
            graded.end(
                Outcome::Untouched,
                "the exercise as it was handed out".to_owned(),
            );
            return Ok(());
        }
        for (path, bytes) in &answer.files {
            if let Some(line) = inspect::assembly(&String::from_utf8_lossy(bytes)) {
                graded.end(
                    Outcome::Refused,
                    format!("src/{}:{line}: it uses inline assembly, which can put code anywhere in the grader", path.display()),
                );
                return Ok(());
            }
        }
        self.lay_out(desk, &desk.laid_over(answer))?;
        let library = self.out().join(desk.recipe.library.artifact(true));
        let ended = self.compile(desk, &desk.recipe.library, false)?;
        graded.compiled(&ended);
        if !ended.success() || !library.is_file() {
            graded.end_compiler(&ended, self.limits.compile, "it");
            return Ok(());
        }
        if let Err(why) = inspect::library(
            &fs::read(&library)?,
            &desk.recipe.crate_name,
            desk.identity.as_deref(),
        ) {
            graded.end(Outcome::Refused, why);
            return Ok(());
        }
        let program = self.out().join(desk.recipe.grader.artifact(false));
        let ended = self.compile(desk, &desk.recipe.grader, true)?;
        graded.compiled(&ended);
        if !ended.success() || !program.is_file() {
            graded.end_compiler(&ended, self.limits.compile, "the grader with it");
            return Ok(());
        }
        let checked = Program::read(&fs::read(&program)?)
            .and_then(|program| program.is_like(&desk.reference));
        if let Err(why) = checked {
            graded.end(Outcome::Refused, why);
            return Ok(());
        }
        let (report, ended, broken) = self.run_grader(desk)?;
        graded.ran(&ended);
        graded.judge(&desk.checks, &report, &ended, broken);
        Ok(())
    }

    /// Where the compiler writes, and nothing else does.
    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// The course with these files as the exercise's `src/`: links to the course's files, beside the real ones of the answer.
    fn lay_out(&self, desk: &Desk, files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
        let (tree, out) = (self.tree(), self.out());
        for dir in [&tree, &out] {
            if dir.exists() {
                fs::remove_dir_all(dir).with_context(|| dir.display().to_string())?;
            }
        }
        let package = tree.join(&desk.exercise.dir);
        let src = package.join("src");
        for dir in [&src, &out, &self.folder.join("root")] {
            fs::create_dir_all(dir)?;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
        }
        if let Some(stranger) = jail::stranger() {
            std::os::unix::fs::chown(&out, Some(stranger), Some(stranger))?;
        }
        let original = self.pristine.tree.join(&desk.exercise.dir);
        link_all(
            &self.pristine.tree,
            &tree,
            &["exercises", "solutions", "target", ".git"],
        )?;
        link_all(&original, &package, &["src"])?;
        for (path, bytes) in files {
            let path = src.join(path);
            fs::create_dir_all(path.parent().context("it has a parent")?)?;
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        }
        Ok(())
    }

    /// Runs the compiler as it was recorded, but on this bench.
    fn compile(&self, desk: &Desk, recorded: &Recorded, with_answer: bool) -> Result<Ended> {
        let out = self.out();
        let own = desk.recipe.crate_name.as_str();
        let mut arguments = Vec::new();
        let mut recorded_arguments = recorded.arguments.iter();
        while let Some(argument) = recorded_arguments.next() {
            match argument.as_str() {
                "--out-dir" => drop(recorded_arguments.next()),
                text if text.starts_with("--emit")
                    || text.starts_with("--json")
                    || text.starts_with("--error-format")
                    || text.starts_with("--diagnostic-width") => {}
                text if text.starts_with(&format!("{own}=")) && with_answer => {
                    let library = out.join(desk.recipe.library.artifact(true));
                    arguments.push(format!("{own}={}", library.display()));
                }
                text => arguments.push(self.moved(text)),
            }
        }
        arguments.extend(["--emit=link", "--color=never", "--out-dir"].map(str::to_owned));
        arguments.push(out.display().to_string());
        let mut environment: Vec<_> = recorded
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), self.moved(value)))
            .collect();
        environment.extend(Self::environment());
        let mut order = self.order(
            self.pristine
                .sysroot
                .join("bin/rustc")
                .display()
                .to_string(),
            arguments,
            environment,
        );
        order.shown.push(Shown::Writable(out));
        let tests = self.tree().join(&desk.exercise.dir);
        if with_answer {
            // The grader and the linker see the answer's library, and none of its files.
            order.shown.push(Shown::Hidden(tests.join("src")));
        }
        order.directory = self.tree();
        order.cpu = self.limits.compile;
        // Processor time is the bound; the clock is for a compiler that sleeps.
        order.wall = (self.limits.compile * 4 + Duration::from_secs(30)) * self.limits.scale;
        order.memory = 4 << 30;
        order.processes = 128;
        order.file_size = 256 << 20;
        order.keeps_identity = true;
        order.run(None)
    }

    /// Runs the grader; its report comes through memory that nobody else has.
    fn run_grader(&self, desk: &Desk) -> Result<(Report, Ended, Option<String>)> {
        let place = Place::new()?;
        let mut environment = Self::environment();
        environment.extend([
            (
                "LAB_REPORT".to_owned(),
                format!("/proc/self/fd/{REPORT_FD}"),
            ),
            ("LAB_COLOR".to_owned(), "never".to_owned()),
            ("LAB_TIME_SCALE".to_owned(), self.limits.scale.to_string()),
            ("RUST_BACKTRACE".to_owned(), "0".to_owned()),
            ("CARGO_PKG_NAME".to_owned(), desk.exercise.slug.clone()),
        ]);
        let package = self.tree().join(&desk.exercise.dir);
        let program = self.out().join(desk.recipe.grader.artifact(false));
        let mut order = self.order(program.display().to_string(), Vec::new(), environment);
        order.shown.push(Shown::ReadOnly(self.out()));
        order.shown.push(Shown::Hidden(package.join("src")));
        order.directory = package;
        order.cpu = self.limits.run;
        order.wall = self.limits.run * self.limits.scale;
        order.memory = 4 << 30;
        order.processes = 1024;
        order.file_size = 64 << 20;
        let ended = order.run(Some(place.file()))?;
        let (report, broken) = match Report::parse(&place.read()) {
            Ok(report) => (report, None),
            Err(what) => (Report::default(), Some(what)),
        };
        Ok((report, ended, broken))
    }

    /// What compilers and graders have in common.
    fn order(
        &self,
        program: String,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
    ) -> Order {
        let mut shown = vec![
            Shown::ReadOnly(self.pristine.tree.clone()),
            Shown::ReadOnly(self.pristine.built.clone()),
            Shown::ReadOnly(self.tree()),
        ];
        let solutions = self.pristine.tree.join("solutions");
        if solutions.is_dir() {
            shown.push(Shown::Hidden(solutions));
        }
        if !self.pristine.sysroot.starts_with("/usr/lib")
            && self.pristine.sysroot != Path::new("/usr")
        {
            for part in ["bin", "lib"] {
                shown.push(Shown::ReadOnly(self.pristine.sysroot.join(part)));
            }
        }
        Order {
            sandboxed: self.sandboxed,
            root: self.folder.join("root"),
            shown,
            program,
            arguments,
            environment,
            directory: self.tree(),
            wall: Duration::from_secs(60),
            cpu: Duration::from_secs(60),
            memory: 1 << 30,
            processes: 64,
            file_size: 64 << 20,
            keeps_identity: false,
        }
    }

    fn environment() -> Vec<(String, String)> {
        let pairs = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("HOME", "/tmp"),
            ("TMPDIR", "/tmp"),
            ("LANG", "C.UTF-8"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// What is said of the course's files, said of the ones here.
    fn moved(&self, text: &str) -> String {
        text.replace(
            &*self.pristine.tree.to_string_lossy(),
            &self.tree().to_string_lossy(),
        )
    }
}

fn link_all(from: &Path, to: &Path, but: &[&str]) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        if but.iter().all(|name| entry.file_name() != *name) {
            symlink(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
