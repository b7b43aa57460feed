//! How long from a save to its verdict? As ratios to `cargo test` of a new crate with one empty test, because times do not
//! travel between machines and ratios do. The target is 1.3 at most.
//!
//! ```sh
//! cargo test -p course --bench edit_to_verdict   # so that the program is built as learners have it
//! ```
//!
//! It works on a copy of the course in a temporary directory: no learner's file is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../tests/cli/support.rs"]
#[allow(dead_code, reason = "the terminal is all that is needed of it")]
mod support;

use support::Terminal;

const EXERCISE: &str = "network-order";
const CHAPTER: &str = "03-sockets-introduction";
const ROUNDS: usize = 15;
const BARE: &str = "#[test]\nfn one() {}\n";

fn main() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let (bare, course) = (scratch.path().join("bare"), scratch.path().join("course"));
    make_bare(&bare);
    support::copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
        &course,
    );
    let answer = course
        .join("solutions")
        .join(CHAPTER)
        .join(EXERCISE)
        .join("src/lib.rs");
    let answer = fs::read_to_string(answer).expect("the reference answer");
    let file = course
        .join("exercises")
        .join(CHAPTER)
        .join(EXERCISE)
        .join("src/lib.rs");
    let mut edits = Edits {
        bare: bare.join("src/lib.rs"),
        exercise: file,
        answer,
        count: 0,
    };

    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..=ROUNDS {
        edits.save_bare();
        times[0].push(timed(&mut cargo(&bare, &["test", "--quiet"])));
        edits.save_exercise();
        times[1].push(timed(&mut cargo(
            &course,
            &["test", "--quiet", "--package", EXERCISE],
        )));
        edits.save_exercise();
        times[2].push(timed(&mut program(&course, &["grade", EXERCISE])));
    }
    timed(&mut program(&course, &["next", EXERCISE]));
    let mut terminal = Terminal::start(program(&course, &[]));
    terminal.until("q quit");
    terminal.until("q quit");
    for _ in 0..=ROUNDS {
        edits.save_bare();
        times[3].push(timed(&mut cargo(&bare, &["test", "--quiet"])));
        edits.save_exercise();
        let started = Instant::now();
        terminal.until("9 of 9 points");
        times[4].push(started.elapsed());
        terminal.until("q quit");
    }

    println!("median of {ROUNDS}                seconds   ratio");
    let [empty, plain, grade, empty_again, watch] = times.map(median);
    for (name, time, to) in [
        ("cargo test, empty crate", empty, empty),
        ("cargo test -p", plain, empty),
        ("cargo course grade", grade, empty),
        ("cargo course, on a save", watch, empty_again),
    ] {
        println!(
            "{name:<26} {:6.3}   {:5.2}",
            time.as_secs_f64(),
            time.as_secs_f64() / to.as_secs_f64()
        );
    }
}

struct Edits {
    bare: PathBuf,
    exercise: PathBuf,
    answer: String,
    count: usize,
}

impl Edits {
    fn save_bare(&mut self) {
        self.save(&self.bare.clone(), BARE);
    }

    fn save_exercise(&mut self) {
        self.save(&self.exercise.clone(), &self.answer.clone());
    }

    /// No two saves are alike, so that each is compiled.
    fn save(&mut self, file: &Path, text: &str) {
        self.count += 1;
        let text = format!(
            "{text}\n/// Edit {0}.\npub const EDIT: u32 = {0};\n",
            self.count
        );
        fs::write(file, text).expect("a save");
    }
}

/// What `cargo new --lib` makes, with an empty test: documentation tests are looked for, as always.
fn make_bare(dir: &Path) {
    fs::create_dir_all(dir.join("src")).expect("a directory");
    let manifest = "[package]\nname = \"bare\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(dir.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(dir.join("src/lib.rs"), BARE).expect("a library");
}

fn cargo(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", dir.join("target"));
    command
}

fn program(course: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-course"));
    command
        .args(arguments)
        .current_dir(course)
        .env("CARGO_TARGET_DIR", course.join("target"))
        .env("NO_COLOR", "1");
    command
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let took = started.elapsed();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    took
}

/// The first is for the caches.
fn median(mut times: Vec<Duration>) -> Duration {
    times.remove(0);
    times.sort();
    times[times.len() / 2]
}
