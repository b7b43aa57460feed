//! Is it so on this kernel? Runs the book's experiments, and shows what was recorded beside what is seen.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use catalog::{Chapter, Claim, Decider};
use serde_json::json;

use crate::command::Usage;
use crate::compile::{self, Build};
use crate::course::Course;
use crate::events;
use crate::grade;
use crate::paint::{self, Status, bold, count, cyan, dim, green, red, yellow};
use crate::process::Cancel;
use crate::report::{Check, Outcome};

/// All experiments of a chapter together.
const LIMIT: Duration = Duration::from_mins(10);

/// Runs the experiments of all chapters, of one chapter, or of one claim.
///
/// # Errors
///
/// When there is no such chapter or claim, or the experiments cannot be built.
///
/// With `events`, a program hears what each saw as soon as it ends.
pub fn claims(course: &Course, name: Option<&String>, events: bool) -> Result<bool> {
    let chosen = choose(course, name)?;
    if events {
        return aloud(course, &chosen);
    }
    let mut sum = Sum::default();
    for (number, (chapter, claims)) in chosen.iter().enumerate() {
        let Some(seen) = experiment(course, chapter, claims)? else {
            return Ok(false);
        };
        let gap = if number > 0 { "\n" } else { "" };
        paint::line(format_args!(
            "{gap}{:02} {}\n",
            chapter.number,
            bold(&chapter.title)
        ));
        for claim in claims {
            paint::say(show(
                claim,
                claim.experiment().and_then(|name| seen.get(name)),
                &mut sum,
            ));
        }
    }
    paint::say(sum.text());
    Ok(sum.different == 0)
}

/// Says what each experiment saw when it ends, as [`events`] does.
fn aloud(course: &Course, chosen: &[(&Chapter, Vec<&Claim>)]) -> Result<bool> {
    let mut as_recorded = true;
    for (chapter, claims) in chosen {
        let claims: Vec<&Claim> = claims
            .iter()
            .copied()
            .filter(|claim| claim.experiment().is_some())
            .collect();
        events::tell(
            "begin",
            json!({ "chapter": chapter.dir, "experiments": claims.len() }),
        );
        if claims.is_empty() {
            continue;
        }
        let cancel = Cancel::default();
        let root = &course.catalog.root;
        let built = compile::test_binary(root, &chapter.package, "claims", &cancel, events::busy)?;
        let binary = match built {
            Build::Ready { binary, .. } => binary,
            Build::Rejected(messages) => {
                events::tell("compiler", json!({ "text": messages }));
                return Ok(false);
            }
            Build::Canceled => return Ok(false),
        };
        let mut command = command(course, chapter, &claims, &binary);
        let (report, died) = grade::run_heard(&mut command, LIMIT, &cancel, |check| {
            let decided = |claim: &&&Claim| claim.experiment() == Some(check.name.as_str());
            if let Some(claim) = claims.iter().find(decided) {
                tell(claim, check);
            }
        })?;
        if let Some((how, output)) = died {
            events::tell("died", json!({ "how": how, "output": output }));
        }
        as_recorded &= report.passed();
    }
    events::tell("end", json!({ "passed": as_recorded }));
    Ok(as_recorded)
}

fn tell(claim: &Claim, check: &Check) {
    let (outcome, seen) = match check.outcome {
        Outcome::Pass => ("same", check.evidence.join("; ")),
        Outcome::NotRun => (
            "not-run",
            check.why.trim_start_matches("not run: ").to_owned(),
        ),
        Outcome::Fail | Outcome::Fault => ("different", check.why.clone()),
    };
    events::tell(
        "claim",
        json!({ "id": claim.id, "outcome": outcome, "seen": seen }),
    );
}

/// The experiments that decide `claims`: all of the chapter's, or one alone.
fn command(course: &Course, chapter: &Chapter, claims: &[&Claim], binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(course.catalog.at(&chapter.path));
    let names: Vec<&str> = claims
        .iter()
        .filter_map(|claim| claim.experiment())
        .collect();
    if let [name] = names.as_slice() {
        command.args(["--exact", name]);
    }
    command
}

fn choose<'a>(
    course: &'a Course,
    name: Option<&String>,
) -> Result<Vec<(&'a Chapter, Vec<&'a Claim>)>> {
    let chapters = &course.catalog.chapters;
    let Some(name) = name.filter(|name| *name != "all") else {
        return Ok(chapters
            .iter()
            .filter(|chapter| !chapter.claims.is_empty())
            .map(|chapter| (chapter, chapter.claims.iter().collect()))
            .collect());
    };
    if let Some(chapter) = course.catalog.chapter_named(
        name.trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(name),
    ) {
        return Ok(vec![(chapter, chapter.claims.iter().collect())]);
    }
    let found = chapters.iter().find_map(|chapter| {
        Some((
            chapter,
            vec![chapter.claims.iter().find(|claim| claim.id == *name)?],
        ))
    });
    match found {
        Some(found) => Ok(vec![found]),
        None => {
            let near =
                catalog::nearest(name, course.catalog.claims().map(|claim| claim.id.as_str()));
            let near = match near.as_slice() {
                [] => "give a chapter, or an id such as 03.16".to_owned(),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            Err(Usage(format!("no chapter or claim is called `{name}`; {near}")).into())
        }
    }
}

/// Runs the experiments that decide `claims`; what each saw is by its name. `None` when they do not compile.
fn experiment(
    course: &Course,
    chapter: &Chapter,
    claims: &[&Claim],
) -> Result<Option<BTreeMap<String, Check>>> {
    let names: Vec<&str> = claims
        .iter()
        .filter_map(|claim| claim.experiment())
        .collect();
    if names.is_empty() {
        return Ok(Some(BTreeMap::new()));
    }
    let mut status = Status::new();
    status.set(&format!(
        "running {} of chapter {}",
        count(names.len(), "experiment"),
        chapter.number
    ));
    let cancel = Cancel::default();
    let root = &course.catalog.root;
    let binary = match compile::test_binary(root, &chapter.package, "claims", &cancel, |line| {
        status.set(line);
    })? {
        Build::Ready { binary, .. } => binary,
        Build::Rejected(messages) => {
            status.clear();
            eprint!("{messages}");
            return Ok(None);
        }
        Build::Canceled => return Ok(None),
    };
    let mut command = command(course, chapter, claims, &binary);
    let (report, died) = grade::run(&mut command, LIMIT, &cancel)?;
    status.clear();
    if let Some((how, output)) = died {
        eprintln!(
            "note: chapter {}: the experiments did not finish: {how}",
            chapter.number
        );
        eprint!("{output}");
    }
    Ok(Some(
        report
            .checks
            .into_iter()
            .map(|check| (check.name.clone(), check))
            .collect(),
    ))
}

#[derive(Default)]
struct Sum {
    same: usize,
    different: usize,
    not_run: usize,
    authority: usize,
}

fn show(claim: &Claim, seen: Option<&Check>, sum: &mut Sum) -> String {
    let (mark, now) = match (&claim.decided_by, seen) {
        (Decider::Authority(authority), _) => {
            sum.authority += 1;
            (dim("§"), format!("by authority: {authority}"))
        }
        (Decider::Experiment(_), None) => {
            sum.different += 1;
            (red("✗"), "the experiment did not end".to_owned())
        }
        (Decider::Experiment(_), Some(check)) => match check.outcome {
            Outcome::Pass => {
                sum.same += 1;
                (green("✓"), check.evidence.join("; "))
            }
            Outcome::NotRun => {
                sum.not_run += 1;
                (
                    yellow("○"),
                    yellow(format_args!(
                        "not run: {}",
                        check.why.trim_start_matches("not run: ")
                    )),
                )
            }
            Outcome::Fail | Outcome::Fault => {
                sum.different += 1;
                (red("✗"), red(&check.why))
            }
        },
    };
    let mut text = format!(
        "{mark} {}  {}\n",
        bold(&claim.id),
        dim(claim.verdict.words())
    );
    text += &paint::paragraph(&format!("“{}”", claim.says), 4);
    if let Some(correction) = &claim.correction {
        text += &paint::paragraph(correction, 4);
    }
    text += &match &claim.seen {
        // The same words twice help nobody.
        Some(recorded) if is_in(recorded, seen) => {
            paint::paragraph(&format!("seen as recorded: {recorded}"), 4)
        }
        Some(recorded) if claim.experiment().is_some() => {
            paint::paragraph(&format!("recorded: {recorded}"), 4)
                + &paint::paragraph(&format!("seen: {now}"), 4)
        }
        _ => paint::paragraph(&now, 4),
    };
    text
}

/// Whether all that was recorded, in parts divided by `; `, was seen.
fn is_in(recorded: &str, seen: Option<&Check>) -> bool {
    seen.is_some_and(|check| {
        recorded
            .split("; ")
            .all(|part| check.evidence.iter().any(|evidence| evidence == part))
    })
}

impl Sum {
    fn text(&self) -> String {
        let mut parts = vec![format!("{} as recorded", self.same)];
        if self.different > 0 {
            parts.push(red(format_args!("{} different here", self.different)));
        }
        if self.not_run > 0 {
            parts.push(yellow(format_args!("{} not run", self.not_run)));
        }
        if self.authority > 0 {
            parts.push(format!("{} by authority", self.authority));
        }
        let doctor = if self.not_run > 0 {
            format!("{} says what is missing.\n", cyan("cargo course doctor"))
        } else {
            String::new()
        };
        format!("\n{}.\n{doctor}", parts.join(", "))
    }
}
