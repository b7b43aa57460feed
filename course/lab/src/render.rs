//! How does a failed check look to a person?
//!
//! One screen: what was done, what was expected, what happened, why, and where to read on.

use crate::finding::{Finding, Kind};

/// A check that ran, as its own process saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The step log's lines.
    pub steps: Vec<String>,
    /// What children printed: (whose, what).
    pub output: Vec<(String, String)>,
    /// The calls that its subjects made, for each subject that records them.
    pub calls: Vec<String>,
    /// What was on the wires of its networks, drawn.
    pub wires: Vec<String>,
    /// What an experiment saw.
    pub evidence: Vec<String>,
}

/// The lines of a failure, without color.
pub fn failure(
    title: &str,
    account: &Account,
    finding: &Finding,
    see: Option<&str>,
    again: &str,
) -> String {
    let mut lines = vec![title.to_string(), String::new()];
    lines.extend(account.steps.iter().cloned());
    let mark = match finding.kind {
        Kind::Fail => "x",
        Kind::NotRun => "-",
        Kind::Fault => "!",
    };
    let what = match finding.kind {
        Kind::Fault => format!(
            "the grader broke, which is not your error: {}",
            finding.what
        ),
        _ => finding.what.clone(),
    };
    lines.extend(wrap(&what, &format!("  {mark}. "), "     "));
    for block in &finding.detail {
        lines.push(String::new());
        lines.extend(block.lines().map(|line| format!("     {line}")));
    }
    for (whose, text) in &account.output {
        lines.push(String::new());
        lines.push(format!("  {whose} printed:"));
        lines.extend(text.trim_end().lines().map(|line| format!("    | {line}")));
    }
    for calls in &account.calls {
        lines.push(String::new());
        lines.extend(calls.lines().map(|line| line.trim_end().to_string()));
    }
    for wire in &account.wires {
        lines.push(String::new());
        lines.extend(wire.lines().map(|line| line.trim_end().to_string()));
    }
    if let Some(because) = &finding.because {
        lines.push(String::new());
        lines.extend(wrap(because, "  ", "  "));
    }
    lines.push(String::new());
    if let Some(see) = see {
        lines.push(format!("  read on: {see}"));
    }
    lines.push(format!("  again:   {again}"));
    lines.join("\n")
}

/// Breaks text at spaces so that it fits into 80 columns.
pub fn wrap(text: &str, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > 80 {
            lines.push(std::mem::replace(&mut line, rest.to_string()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_in_order() {
        let account = Account {
            steps: vec!["  1. peer sends b\"hel\"".into()],
            output: vec![("your code".into(), "hello\n".into())],
            calls: vec![],
            wires: vec!["        a        b\n        |--SYN-->|   \n".into()],
            evidence: vec![],
        };
        let mut finding = Finding::fail("expected your code to return 5, it returned 3");
        finding.because = Some("A stream has no edges.".into());
        let text = failure(
            "short-reads: waits",
            &account,
            &finding,
            Some("3#a"),
            "cargo test",
        );
        assert_eq!(
            text,
            "short-reads: waits\n\n  1. peer sends b\"hel\"\n  x. expected your code to return 5, it \
             returned 3\n\n  your code printed:\n    | hello\n\n        a        b\n        |--SYN-->|\n\n  A stream has no edges.\n\n  \
             read on: 3#a\n  again:   cargo test"
        );
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let lines = wrap(&"word ".repeat(40), "  x. ", "     ");
        assert!(lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= 80));
        assert!(lines[1].starts_with("     word"));
    }
}
