//! The `main` of every test binary on the lab.
//!
//! It has one thread and never runs the learner's code, because forking from libtest's threads hangs,
//! and libtest takes `exit(0)` for a pass. Each check gets a process and namespaces of its own; its
//! outcome comes back over a pipe. Silence is never a pass.

use std::io::{IsTerminal, Write as _};
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::args::{Args, HELP};
use crate::check::Check;
use crate::child::Capture;
use crate::finding::{Finding, Kind, Pass, Verdict};
use crate::isolation::{self, isolation};
use crate::render::{self, Account};
use crate::report::{Object, Report};
use crate::sealed::Sealed;
use crate::system::{self, Fork};

/// The time of a check unless it asks for another. A backstop: hangs are recognized earlier.
const TIME: Duration = Duration::from_secs(10);

/// One check: a function and what is known about it.
struct Case {
    name: String,
    run: Box<dyn Fn(&Check) -> Verdict>,
    points: u32,
    see: Option<String>,
    time: Duration,
}

/// A list of checks. Chapters' tests and claims use it directly; exercises use a [`Grader`].
pub struct Suite {
    name: String,
    section: Option<String>,
    cases: Vec<Case>,
    graded: bool,
}

/// The checks of an exercise, with points.
pub struct Grader(Suite);

impl Suite {
    /// An empty list.
    pub fn new(name: &str) -> Suite {
        Suite {
            name: name.into(),
            section: None,
            cases: Vec::new(),
            graded: false,
        }
    }

    /// Where the book tells what is tested, unless a check says otherwise.
    #[must_use]
    pub fn section(mut self, section: &str) -> Suite {
        self.section = Some(section.into());
        self
    }

    /// Adds a check. Its name is the function's.
    #[must_use]
    pub fn check<F: Fn(&Check) -> Verdict + 'static>(self, run: F) -> Suite {
        self.add(0, run)
    }

    /// Gives the last check another time than 10 seconds.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Suite {
        if let Some(case) = self.cases.last_mut() {
            case.time = time;
        }
        self
    }

    /// Runs what the command line asks for.
    pub fn main(self) -> ExitCode {
        system::raise_descriptor_limit();
        // A backtrace costs a third of a second in a debug build, and shows the lab, not the learner.
        // SAFETY: the runner has one thread.
        unsafe { std::env::set_var("RUST_BACKTRACE", "0") };
        match self.run() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(101),
            Err(line) => {
                eprintln!("error: {line}");
                ExitCode::from(2)
            }
        }
    }

    fn add<F: Fn(&Check) -> Verdict + 'static>(mut self, points: u32, run: F) -> Suite {
        let path = std::any::type_name::<F>();
        let name = path.rsplit("::").next().unwrap_or(path).to_string();
        self.cases.push(Case {
            name,
            run: Box::new(run),
            points,
            see: None,
            time: TIME,
        });
        self
    }

    fn run(self) -> Result<bool, String> {
        let args = Args::parse(std::env::args().skip(1))?;
        if args.help {
            println!("{HELP}");
            return Ok(true);
        }
        let selected: Vec<&Case> = self
            .cases
            .iter()
            .filter(|c| args.selects(&c.name))
            .collect();
        if args.list {
            let mut out = std::io::stdout().lock();
            for case in &selected {
                let _ = writeln!(out, "{}: test", case.name);
            }
            if !args.quiet {
                let _ = writeln!(out, "\n{} tests, 0 benchmarks", selected.len());
            }
            return Ok(true);
        }
        Run {
            suite: &self,
            filtered: self.cases.len() - selected.len(),
            paint: Paint::new(args.color),
            report: Report::open()?,
            args,
        }
        .all(&selected)
    }
}

impl Grader {
    /// The checks of the exercise with this slug.
    pub fn new(slug: &str) -> Grader {
        let mut suite = Suite::new(slug);
        suite.graded = true;
        Grader(suite)
    }

    /// Where the book teaches this, unless a check says otherwise: `chapter#heading`.
    #[must_use]
    pub fn section(self, section: &str) -> Grader {
        Grader(self.0.section(section))
    }

    /// Adds a check that is worth so many points. Its name is the function's.
    #[must_use]
    pub fn check<F: Fn(&Check) -> Verdict + 'static>(self, points: u32, run: F) -> Grader {
        Grader(self.0.add(points, run))
    }

    /// Where the book teaches what the last check demands.
    #[must_use]
    pub fn see(mut self, section: &str) -> Grader {
        if let Some(case) = self.0.cases.last_mut() {
            case.see = Some(section.into());
        }
        self
    }

    /// Gives the last check another time than 10 seconds.
    #[must_use]
    pub fn time(self, time: Duration) -> Grader {
        Grader(self.0.time(time))
    }

    /// Runs what the command line asks for.
    pub fn main(self) -> ExitCode {
        self.0.main()
    }
}

/// A run of some checks.
struct Run<'s> {
    suite: &'s Suite,
    filtered: usize,
    args: Args,
    paint: Paint,
    report: Report,
}

/// What came of a check.
struct Ran {
    verdict: Verdict,
    account: Account,
    /// What the check itself printed.
    printed: String,
    took: Duration,
}

impl Run<'_> {
    fn all(mut self, cases: &[&Case]) -> Result<bool, String> {
        let began = Instant::now();
        let full = |e: std::io::Error| format!("LAB_REPORT: {e}");
        self.report
            .write(
                Object::event("suite")
                    .text("suite", &self.suite.name)
                    .number("checks", cases.len() as u64),
            )
            .map_err(full)?;
        if !self.args.quiet {
            say(&format!("\nrunning {} tests\n", cases.len()));
        }
        let (mut passed, mut failed, mut not_run, mut faults) = (0_u32, 0_u32, 0_u32, 0_u32);
        let (mut points, mut of) = (0, 0);
        let mut failures: Vec<(String, String)> = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let ran = isolated(case, number)?;
            of += case.points;
            let message = self.message(case, &ran);
            let (outcome, word) = match &ran.verdict {
                Ok(Pass) => ("pass", self.paint.green("ok")),
                Err(f) if f.kind == Kind::NotRun => (
                    "not-run",
                    self.paint.yellow(&format!("ignored, {}", f.what)),
                ),
                Err(f) if f.kind == Kind::Fault => ("fault", self.paint.red("FAULT OF THE GRADER")),
                Err(_) => ("fail", self.paint.red("FAILED")),
            };
            match outcome {
                "pass" => {
                    passed += 1;
                    points += case.points;
                }
                "not-run" => not_run += 1,
                "fault" => faults += 1,
                _ => failed += 1,
            }
            self.tell(case, &ran, &word);
            if matches!(outcome, "fail" | "fault") {
                failures.push((case.name.clone(), message.clone()));
            }
            let finding = ran.verdict.as_ref().err();
            self.report
                .write(
                    Object::event("check")
                        .text("suite", &self.suite.name)
                        .text("check", &case.name)
                        .text("outcome", outcome)
                        .number("points", case.points)
                        .number("micros", ran.took.as_micros() as u64)
                        .text("see", self.see(case).unwrap_or_default())
                        .text("why", finding.map_or("", |f| &f.what))
                        .text("message", finding.map_or("", |_| &message))
                        .texts("evidence", &ran.account.evidence),
                )
                .map_err(full)?;
        }
        self.report
            .write(
                Object::event("end")
                    .text("suite", &self.suite.name)
                    .number("passed", passed)
                    .number("failed", failed)
                    .number("not_run", not_run)
                    .number("faults", faults)
                    .number("points", points)
                    .number("of", of),
            )
            .map_err(full)?;

        let required = std::env::var("LAB_REQUIRE").is_ok_and(|v| v == "all");
        let good = failed == 0 && faults == 0 && !(required && not_run > 0);
        self.tell_failures(&failures);
        if required && not_run > 0 {
            say(&format!(
                "\nLAB_REQUIRE=all: {not_run} not run counts as failed\n"
            ));
        }
        if self.suite.graded && self.filtered == 0 {
            say(&format!("\n{points} of {of} points\n"));
        }
        let word = if good {
            self.paint.green("ok")
        } else {
            self.paint.red("FAILED")
        };
        let counted_failed = failed + faults + if required { not_run } else { 0 };
        let ignored = if required { 0 } else { not_run };
        say(&format!(
            "\ntest result: {word}. {passed} passed; {counted_failed} failed; {ignored} ignored; 0 measured; \
             {} filtered out; finished in {:.2}s\n\n",
            self.filtered,
            began.elapsed().as_secs_f64()
        ));
        Ok(good)
    }

    fn see<'a>(&'a self, case: &'a Case) -> Option<&'a str> {
        case.see.as_deref().or(self.suite.section.as_deref())
    }

    /// The whole message of a check that did not pass; empty for one that did.
    fn message(&self, case: &Case, ran: &Ran) -> String {
        let Err(finding) = &ran.verdict else {
            return String::new();
        };
        let mut account = ran.account.clone();
        if !ran.printed.is_empty() {
            account
                .output
                .push(("the check".into(), ran.printed.clone()));
        }
        let title = format!("{}: {}", self.suite.name, case.name.replace('_', " "));
        let package = std::env::var("CARGO_PKG_NAME").unwrap_or_else(|_| self.suite.name.clone());
        let again = format!("cargo test -p {package} -- {}", case.name);
        render::failure(&title, &account, finding, self.see(case), &again)
    }

    /// The line of a check, as it ends.
    fn tell(&self, case: &Case, ran: &Ran, word: &str) {
        if !self.args.quiet {
            say(&format!("test {} ... {word}\n", case.name));
        }
        if self.args.nocapture || (!self.args.quiet && !ran.account.evidence.is_empty()) {
            for line in &ran.account.evidence {
                say(&format!("     {line}\n"));
            }
        }
        if self.args.nocapture {
            for (whose, text) in &ran.account.output {
                say(&format!("  {whose} printed:\n{text}\n"));
            }
            say(&ran.printed);
        }
    }

    /// All failures of a chapter's tests; the first of an exercise, because one thing at a time is
    /// enough, and the names of the others.
    fn tell_failures(&self, failures: &[(String, String)]) {
        let shown = if self.suite.graded { 1 } else { failures.len() };
        for (_, message) in failures.iter().take(shown) {
            let (title, rest) = message.split_once('\n').unwrap_or((message, ""));
            say(&format!("\n{}\n{rest}\n", self.paint.bold(title)));
        }
        if failures.len() > shown {
            let names: Vec<&str> = failures[shown..].iter().map(|f| f.0.as_str()).collect();
            say(&format!("\nalso failed: {}\n", names.join(", ")));
        }
    }
}

/// Runs one check in a process of its own.
fn isolated(case: &Case, number: usize) -> Result<Ran, String> {
    let began = Instant::now();
    let isolation = isolation();
    let lost = |e: std::io::Error| format!("{}: {e}", case.name);
    let (outcome, outcome_end) = system::pipe().map_err(lost)?;
    let (printed, printed_end) = system::pipe().map_err(lost)?;
    let folder = std::env::temp_dir().join(format!("lab-{}-{number}", std::process::id()));
    let time = case.time.mul_f64(time_scale());
    // SAFETY: the runner has one thread.
    let (pid, pidfd) = match unsafe { system::fork() }.map_err(lost)? {
        Fork::Child => {
            system::no_input();
            system::install(&printed_end, 1);
            system::install(&printed_end, 2);
            drop(printed_end);
            let done = isolation::run(isolation, || {
                let frame = run(case, time, folder.clone());
                let _ = system::write_all(&outcome_end, &frame);
            });
            if let Err(error) = done {
                eprintln!("{error}");
            }
            system::exit_now(0)
        }
        Fork::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop((outcome_end, printed_end));

    let mut outcome = Capture::new(outcome, 64 << 20);
    let mut printed = Capture::new(printed, 64 << 10);
    // The check keeps its own deadline. This one is for a check that does not.
    let give_up = Instant::now() + time + Duration::from_secs(5);
    let mut ended = false;
    while !ended && Instant::now() < give_up {
        let mut fds = vec![PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
        let sources = [&outcome, &printed];
        fds.extend(
            sources
                .iter()
                .filter_map(|c| c.source())
                .map(|fd| PollFd::new(fd, PollFlags::POLLIN)),
        );
        let _ = poll(&mut fds, PollTimeout::from(1000_u16));
        ended = fds[0].revents().is_some_and(|r| !r.is_empty());
        outcome.pump();
        printed.pump();
    }
    system::kill(pid, libc::SIGKILL);
    system::reap(pid);
    outcome.pump();
    printed.pump();
    let folder = std::env::temp_dir().join(format!("lab-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(folder);

    let mut bytes = outcome.kept();
    let decoded = decode(&mut bytes);
    let (verdict, account) = decoded.unwrap_or_else(|| {
        let why = if ended {
            "the check ended without a verdict"
        } else {
            "the check did not end in its time"
        };
        (Err(Finding::fault(why)), Account::default())
    });
    Ok(Ran {
        verdict,
        account,
        printed: printed.text(),
        took: began.elapsed(),
    })
}

/// In the check's process: runs it and tells its outcome in bytes.
fn run(case: &Case, time: Duration, folder: PathBuf) -> Vec<u8> {
    let check = Check::new(time, folder);
    let result = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(&check)));
    let verdict = result.unwrap_or_else(|_| Err(Finding::fault("the check itself panicked")));
    let bench = &check.bench;
    let output: Vec<(String, String)> = bench
        .children()
        .iter()
        .flat_map(|child| {
            let mut child = child.borrow_mut();
            child.kill();
            child.captures.iter_mut().for_each(Capture::pump);
            // The last capture of a subject is its sealed result, which is not for people.
            let shown: Vec<String> = child.printed().map(Capture::text).collect();
            let name = child.name.clone();
            shown.into_iter().map(move |text| (name.clone(), text))
        })
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    let mut frame = Vec::new();
    match &verdict {
        Ok(Pass) => 0_u8.encode(&mut frame),
        Err(finding) => {
            let kind = match finding.kind {
                Kind::Fail => 1_u8,
                Kind::NotRun => 2,
                Kind::Fault => 3,
            };
            kind.encode(&mut frame);
            finding.what.encode(&mut frame);
            finding.because.encode(&mut frame);
            finding.detail.encode(&mut frame);
        }
    }
    bench.log.borrow().lines().encode(&mut frame);
    output.encode(&mut frame);
    bench.evidence.borrow().encode(&mut frame);
    frame
}

/// The other side of [`run`]'s bytes.
fn decode(bytes: &mut &[u8]) -> Option<(Verdict, Account)> {
    let kind = match u8::decode(bytes)? {
        0 => None,
        1 => Some(Kind::Fail),
        2 => Some(Kind::NotRun),
        3 => Some(Kind::Fault),
        _ => return None,
    };
    let verdict = match kind {
        None => Ok(Pass),
        Some(kind) => Err(Finding {
            kind,
            what: Sealed::decode(bytes)?,
            because: Sealed::decode(bytes)?,
            detail: Sealed::decode(bytes)?,
        }),
    };
    let account = Account {
        steps: Sealed::decode(bytes)?,
        output: Sealed::decode(bytes)?,
        evidence: Sealed::decode(bytes)?,
    };
    Some((verdict, account))
}

/// The factor on deadlines, for slow machines. Never below 1.
fn time_scale() -> f64 {
    let set = std::env::var("LAB_TIME_SCALE").ok();
    set.and_then(|v| v.parse::<f64>().ok())
        .map_or(1.0, |v| v.clamp(1.0, 1000.0))
}

/// Prints, and stops quietly when nobody reads any more.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(101);
    }
}

/// Color, where a person looks.
struct Paint(bool);

impl Paint {
    fn new(asked: Option<bool>) -> Paint {
        let variable = match std::env::var("LAB_COLOR").as_deref() {
            Ok("always") => Some(true),
            Ok("never") => Some(false),
            _ => None,
        };
        let auto = || std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Paint(asked.or(variable).unwrap_or_else(auto))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }
    fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }
    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }
}
