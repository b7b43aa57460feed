//! Is it right? Builds an exercise's grader and runs it, directly, for the report that only the grader can write.

mod aloud;

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result};
use catalog::{Catalog, Exercise};
use serde_json::{Value, json};

use crate::command::Asked;
use crate::compile::{self, Build};
use crate::course::Course;
use crate::paint::{self, Status};
use crate::process::{self, Cancel};
use crate::report::{self, Check, Report};
use crate::{sources, verdict};

/// Graders have deadlines of their own, in seconds. Longer than this, and the grader itself is stuck.
const LIMIT: Duration = Duration::from_mins(2);

/// What came of grading.
pub enum Outcome {
    /// It does not compile: what the compiler says.
    Rejected(String),
    /// The grader ran.
    Ran(Ran),
    /// Nobody waits for it any more.
    Canceled,
}

/// A grader that ran.
pub struct Ran {
    /// What it said.
    pub report: Report,
    /// What the compiler said all the same.
    pub warnings: Vec<String>,
    /// Why the report has no end, in a line, and what the binary wrote.
    pub died: Option<(String, String)>,
    /// What was graded.
    pub sources: u64,
}

impl Ran {
    /// Whether the answer is right, as far as this machine can tell.
    pub fn passed(&self) -> bool {
        self.died.is_none() && self.report.passed()
    }
}

/// `cargo course grade`: grades what is named, else the current exercise, and remembers how it went.
///
/// # Errors
///
/// When a name is unknown, or a grader cannot be built for a reason that is not the answer's.
pub fn command(course: &mut Course, asked: &Asked) -> Result<bool> {
    let chosen: Vec<Exercise> = if asked.names.is_empty() {
        vec![course.one(None)?.clone()]
    } else {
        course.many(&asked.names)?.into_iter().cloned().collect()
    };
    if asked.events {
        return aloud::grade(course, &chosen);
    }
    let mut passed = 0;
    let mut reports = Vec::new();
    for (number, exercise) in chosen.iter().enumerate() {
        let mut status = Status::new();
        let place = if chosen.len() > 1 {
            format!("{} of {}: ", number + 1, chosen.len())
        } else {
            String::new()
        };
        status.set(&format!("{place}grading {}", exercise.slug));
        let outcome = grade(&course.catalog, exercise, &Cancel::default(), |line| {
            status.set(&format!("{place}{line}"));
        })?;
        status.clear();
        if number > 0 && !asked.json {
            paint::line("");
        }
        match outcome {
            Outcome::Rejected(messages) if asked.json => {
                reports
                    .push(json!({ "slug": exercise.slug, "passed": false, "compiler": messages }));
            }
            Outcome::Rejected(messages) => eprint!("{messages}"),
            Outcome::Ran(ran) => {
                remember(course, exercise, &ran, chosen.len() == 1);
                passed += usize::from(ran.passed());
                if asked.json {
                    reports.push(for_programs(exercise, &ran));
                } else {
                    paint::say(verdict::verdict(course, exercise, &ran, asked.all));
                    if chosen.len() == 1 {
                        paint::say(verdict::what_now(course, exercise, &ran));
                    }
                }
            }
            Outcome::Canceled => {}
        }
    }
    if asked.json {
        paint::line(serde_json::to_string_pretty(&reports)?);
    } else if chosen.len() > 1 {
        paint::line(format_args!(
            "\n{passed} of {} passed.",
            paint::count(chosen.len(), "exercise")
        ));
    }
    Ok(passed == chosen.len())
}

fn for_programs(exercise: &Exercise, ran: &Ran) -> Value {
    let (points, of) = ran.report.points();
    let checks = ran.report.checks.iter().map(|check| {
        json!({ "check": check.name, "outcome": check.outcome.name(), "points": check.points, "why": check.why })
    });
    json!({
        "slug": exercise.slug,
        "passed": ran.passed(),
        "points": points,
        "of": of,
        "checks": checks.collect::<Vec<_>>(),
        "died": ran.died.as_ref().map(|(how, _)| how),
    })
}

/// Writes down how it went. After a pass, the next unsolved exercise is the current one. What is the grader's own fault,
/// or was not run, is not written down against anybody; nor is a stub that nobody has touched. Only an exercise that was graded alone becomes the current one.
pub fn remember(course: &mut Course, exercise: &Exercise, ran: &Ran, alone: bool) {
    let (points, of) = ran.report.points();
    if ran.passed() {
        let next = course
            .unsolved_after(&exercise.slug)
            .map(|next| next.slug.clone());
        course.store.change(|progress| {
            progress.passed(&exercise.slug, points, of, ran.sources);
            if alone || progress.current.as_ref() == Some(&exercise.slug) {
                progress.current.clone_from(&next);
            }
        });
    } else if (ran.died.is_some() || ran.report.count(report::Outcome::Fail) > 0)
        && !course.is_untouched(exercise)
    {
        course.store.change(|progress| {
            progress.failed(&exercise.slug, points, of, ran.sources);
            if alone {
                progress.current = Some(exercise.slug.clone());
            }
        });
    }
}

/// Grades `exercise`. `status` is told what cargo is busy with.
///
/// # Errors
///
/// What keeps the grader from being built or run at all; see [`compile::test_binary`].
pub fn grade(
    catalog: &Catalog,
    exercise: &Exercise,
    cancel: &Cancel,
    status: impl FnMut(&str),
) -> Result<Outcome> {
    // Taken before the build: a save in between makes it `changed`, which errs on the right side.
    let sources = sources::fingerprint(&catalog.at(&exercise.dir))?;
    let (binary, warnings) =
        match compile::test_binary(&catalog.root, &exercise.slug, "grade", cancel, status)? {
            Build::Ready { binary, warnings } => (binary, warnings),
            Build::Rejected(messages) => return Ok(Outcome::Rejected(messages)),
            Build::Canceled => return Ok(Outcome::Canceled),
        };
    let mut command = Command::new(&binary);
    command.current_dir(catalog.at(&exercise.dir));
    let (report, died) = run(&mut command, LIMIT, cancel)?;
    if cancel.canceled() {
        return Ok(Outcome::Canceled);
    }
    Ok(Outcome::Ran(Ran {
        report,
        warnings,
        died,
        sources,
    }))
}

/// Runs a test binary of the lab and reads its report. Beside it: why the report has no end, and what the binary wrote.
///
/// # Errors
///
/// When the binary cannot be started, or there is no place for its report.
pub fn run(
    command: &mut Command,
    limit: Duration,
    cancel: &Cancel,
) -> Result<(Report, Option<(String, String)>)> {
    run_heard(command, limit, cancel, |_| {})
}

/// How long a check that ended may wait to be told of.
const HEARING: Duration = Duration::from_millis(20);

/// [`run`], and `hears` is told each check when it ends.
///
/// # Errors
///
/// As [`run`].
pub fn run_heard(
    command: &mut Command,
    limit: Duration,
    cancel: &Cancel,
    mut hears: impl FnMut(&Check) + Send,
) -> Result<(Report, Option<(String, String)>)> {
    let place = Place::new()?;
    command
        .env("LAB_REPORT", place.path())
        .env("LAB_COLOR", "never");
    let name = command.get_program().to_owned();
    let finished = std::thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        let place = &place;
        scope.spawn(move || {
            let mut told = 0;
            loop {
                let is_over = ended.recv_timeout(HEARING) == Err(RecvTimeoutError::Disconnected);
                // What cannot be read is said at the end.
                let checks = Report::parse(&place.read()).unwrap_or_default().checks;
                checks.iter().skip(told).for_each(&mut hears);
                told = told.max(checks.len());
                if is_over {
                    break;
                }
            }
        });
        let finished = process::run(command, limit, cancel, |_| {});
        drop(running);
        finished
    })
    .with_context(|| format!("cannot run {}", name.display()))?;
    let text = place.read();
    let mut output = String::from_utf8_lossy(&finished.stdout).into_owned();
    output += &String::from_utf8_lossy(&finished.stderr);
    let report = match Report::parse(&text) {
        Ok(report) => report,
        Err(what) => {
            return Ok((
                Report::default(),
                Some((format!("its report cannot be read: {what}"), output)),
            ));
        }
    };
    let died = (!report.ended).then(|| {
        let how = match finished.status {
            _ if finished.too_slow => format!("it was still running after {} s", limit.as_secs()),
            Some(status) if text.is_empty() => format!("it wrote no report ({status})"),
            Some(status) => format!("it ended before its report did ({status})"),
            None => "it was interrupted".to_owned(),
        };
        (how, output)
    });
    Ok((report, died))
}

/// Where a report goes: memory that has a path while it is open. So nothing is left of it, however this program ends.
struct Place(File);

impl Place {
    fn new() -> Result<Place> {
        // SAFETY: memfd_create(2) reads the name, a C string, and returns a new descriptor or -1.
        let fd = unsafe { libc::memfd_create(c"report".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error())
                .context("memfd_create: no place for the grader's report");
        }
        // SAFETY: the descriptor is new, open, and nobody else's.
        Ok(Place(unsafe { File::from_raw_fd(fd) }))
    }

    /// The child opens it by this path; the descriptor itself is not inherited.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    fn read(&self) -> String {
        // Reading memory does not fail. What is being written meanwhile is read next time.
        let size = self.0.metadata().map_or(0, |about| about.len());
        let mut text = vec![0; size as usize];
        let read = self.0.read_at(&mut text, 0).unwrap_or(0);
        text.truncate(read);
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_heard_when_it_ends_and_once() {
        let dir = crate::scratch::Scratch::new();
        let heard_it = dir.path().join("heard");
        // It ends only when its first check was heard.
        let script = format!(
            "{CHECK}; until [ -e {heard} ]; do sleep 0.01; done; {CHECK}; echo '{{\"event\":\"end\"}}' >> $LAB_REPORT",
            heard = heard_it.display()
        );
        let mut heard = 0;
        let (report, died) = run_heard(
            Command::new("sh").args(["-c", &script]),
            Duration::from_secs(60),
            &Cancel::default(),
            |check| {
                assert_eq!(check.name, "a");
                heard += 1;
                std::fs::write(&heard_it, "").unwrap();
            },
        )
        .unwrap();
        assert!(died.is_none() && report.checks.len() == 2 && heard == 2);
    }

    fn ran(script: &str) -> (Report, Option<(String, String)>) {
        run(
            Command::new("sh").args(["-c", script]),
            Duration::from_secs(20),
            &Cancel::default(),
        )
        .unwrap()
    }

    const CHECK: &str =
        r#"echo '{"event":"check","check":"a","outcome":"pass","points":1}' >> $LAB_REPORT"#;

    #[test]
    fn exit_0_without_a_report_is_not_a_pass() {
        let (report, died) = ran("echo test result: ok");
        assert!(!report.passed());
        assert_eq!(
            died.unwrap(),
            (
                "it wrote no report (exit status: 0)".into(),
                "test result: ok\n".into()
            )
        );
    }

    #[test]
    fn a_grader_that_dies_on_the_way_is_not_a_pass() {
        let (report, died) = ran(&format!("{CHECK}; kill -9 $$"));
        assert!(!report.passed() && report.checks.len() == 1);
        assert!(
            died.unwrap()
                .0
                .starts_with("it ended before its report did (signal: 9")
        );
    }

    #[test]
    fn a_whole_report_is_read() {
        let (report, died) = ran(&format!(
            "{CHECK}; echo '{{\"event\":\"end\"}}' >> $LAB_REPORT"
        ));
        assert!(report.passed() && died.is_none());
    }
}
