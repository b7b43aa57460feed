//! What can this machine do? Each capability is found out by using it, and what lacks comes with how to get it.

mod peers;
mod system;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::course::Course;
use crate::paint::{self, Status, bold, cyan, dim, green, red, yellow};

/// One thing that the machine has or lacks.
pub struct Finding {
    /// What it is called.
    name: &'static str,
    /// Whether it is there.
    there: bool,
    /// What was found, in a few words.
    what: String,
    /// What is not run without it; empty when nothing works without it.
    without: &'static str,
    /// How to get it, a line each.
    cure: Vec<String>,
}

/// Says what this machine can do, what it lacks, how to get that, and what will be `not run`.
/// What cannot be found out is not there.
pub fn doctor(course: &Course) -> bool {
    let mut status = Status::new();
    status.set("looking at the machine");
    let findings = system::examine();
    let peers = peers::examine(course);
    status.clear();

    let mut text = format!("{}\n", bold("This machine"));
    for finding in &findings {
        text += &show(finding);
    }
    text += &peers::show(&peers);
    let _ = write!(text, "\n{}", sentence(course, &findings, &peers));
    paint::say(text);
    findings
        .iter()
        .all(|finding| finding.there || !finding.without.is_empty())
}

fn show(finding: &Finding) -> String {
    let mark = match (finding.there, finding.without) {
        (true, _) => green("✓"),
        (false, "") => red("✗"),
        (false, _) => yellow("○"),
    };
    let mut text = format!("  {mark} {:14} {}\n", finding.name, finding.what);
    for line in &finding.cure {
        let (comment, command) = line.split_once('`').unwrap_or((line, ""));
        let _ = writeln!(
            text,
            "      {}{}",
            dim(comment),
            cyan(command.trim_end_matches('`'))
        );
    }
    text
}

/// The one sentence at the end: what will be `not run` here.
fn sentence(course: &Course, findings: &[Finding], peers: &[peers::Peer]) -> String {
    if let Some(missing) = findings
        .iter()
        .find(|finding| !finding.there && finding.without.is_empty())
    {
        return format!(
            "Nothing can be graded here before there is {}.\n",
            missing.name
        );
    }
    let lacking: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| !finding.there)
        .map(|finding| finding.without)
        .collect();
    let hit: Vec<&str> = course
        .catalog
        .exercises
        .iter()
        .filter(|exercise| {
            exercise
                .needs
                .iter()
                .any(|need| lacking.contains(need.as_str()))
        })
        .map(|exercise| exercise.slug.as_str())
        .collect();
    let mut parts = Vec::new();
    if !lacking.is_empty() {
        let needs = lacking.into_iter().collect::<Vec<_>>().join(" or ");
        let exercises = if hit.is_empty() {
            String::new()
        } else {
            format!(" (in {})", hit.join(", "))
        };
        parts.push(format!("what needs {needs}{exercises}"));
    }
    let absent: Vec<&str> = peers
        .iter()
        .filter(|peer| !peer.there && !peer.chapters.is_empty())
        .map(|peer| peer.program)
        .collect();
    if !absent.is_empty() {
        parts.push(format!("the chapters' tests against {}", absent.join(", ")));
    }
    if parts.is_empty() {
        return format!("{}\n", green("Everything in this course can be run here."));
    }
    paint::paragraph(
        &format!(
            "Everything can be graded here, but these will be `not run`: {}.",
            parts.join("; ")
        ),
        0,
    )
}
