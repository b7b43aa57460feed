//! Is that what must come of it? The rules for stubs, solutions and mistakes, each a function that returns sentences
//! which the author can act on.

use catalog::Mistake;

use crate::report::{Check, Outcome, Report};

/// What a grader said of one variant.
pub struct Run {
    /// Its report.
    pub report: Report,
    /// Why the report has no end.
    pub died: Option<String>,
}

/// What the rules say: what is wrong, and how many checks this machine could not run.
#[derive(Debug, Default, PartialEq)]
pub struct Judgement {
    /// Sentences.
    pub wrong: Vec<String>,
    /// Checks that were not run, and so prove nothing.
    pub not_run: usize,
}

/// An untouched stub fails every check, and the compiler has nothing to say of it.
pub fn stub(run: &Run, warnings: &[String]) -> Judgement {
    let mut judgement = begin(run);
    if let Some(first) = warnings.first() {
        let first = first.lines().next().unwrap_or_default();
        judgement.wrong.push(format!(
            "the stub compiles with {} warnings; the first: {first}",
            warnings.len()
        ));
    }
    for check in &run.report.checks {
        match check.outcome {
            Outcome::Pass => judgement
                .wrong
                .push(format!("the untouched stub passes `{}`", check.name)),
            Outcome::Fault => judgement.wrong.push(fault("the stub", check)),
            Outcome::Fail | Outcome::NotRun => {}
        }
    }
    judgement
}

/// The reference answer passes every check.
pub fn solution(run: &Run) -> Judgement {
    let mut judgement = begin(run);
    for check in &run.report.checks {
        match check.outcome {
            Outcome::Fail => judgement.wrong.push(format!(
                "the solution fails `{}`: {}",
                check.name, check.why
            )),
            Outcome::Fault => judgement.wrong.push(fault("the solution", check)),
            Outcome::Pass | Outcome::NotRun => {}
        }
    }
    judgement
}

/// A mistake is rejected by the check that it names, with the phrase that it names. A learner sees the first check that
/// fails in full; so no other may fail before it.
pub fn mistake(mistake: &Mistake, run: &Run) -> Judgement {
    let mut judgement = begin(run);
    let checks = &run.report.checks;
    let name = &mistake.name;
    let Some(check) = checks.iter().find(|check| check.name == mistake.check) else {
        if judgement.wrong.is_empty() {
            judgement.wrong.push(format!(
                "{name}: the grader has no check `{}`{}",
                mistake.check,
                near(mistake, checks)
            ));
        }
        return judgement;
    };
    judgement.not_run = usize::from(check.outcome == Outcome::NotRun);
    let first = checks
        .iter()
        .find(|check| check.outcome == Outcome::Fail)
        .map_or("", |check| &check.name);
    match check.outcome {
        Outcome::Pass => judgement.wrong.push(format!("{name} is not rejected: `{}` passes", mistake.check)),
        Outcome::Fault => judgement.wrong.push(fault(name, check)),
        Outcome::Fail if !says(check, &mistake.expect) => judgement.wrong.push(format!(
            "{name} is rejected by `{}`, but the message does not say “{}”; it says: {}",
            mistake.check, mistake.expect, check.why,
        )),
        Outcome::Fail if first != mistake.check => judgement.wrong.push(format!(
            "{name} is first rejected by `{first}`, not by `{}`: a learner would read that one's message",
            mistake.check,
        )),
        Outcome::Fail | Outcome::NotRun => {}
    }
    judgement
}

fn begin(run: &Run) -> Judgement {
    let not_run = run.report.count(Outcome::NotRun);
    let mut wrong = Vec::new();
    if let Some(died) = &run.died {
        wrong.push(format!("the grader did not finish: {died}"));
    } else if run.report.checks.is_empty() {
        wrong.push("the grader has no checks".to_owned());
    } else if run.report.checks.len() != run.report.announced {
        wrong.push(format!(
            "the grader announced {} checks and ran {}",
            run.report.announced,
            run.report.checks.len()
        ));
    }
    Judgement { wrong, not_run }
}

fn says(check: &Check, phrase: &str) -> bool {
    // A phrase may be broken over two lines of the message.
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat(&check.message).contains(&flat(phrase)) || flat(&check.why).contains(&flat(phrase))
}

fn fault(what: &str, check: &Check) -> String {
    format!(
        "{what}: the grader itself failed in `{}`: {}",
        check.name, check.why
    )
}

fn near(mistake: &Mistake, checks: &[Check]) -> String {
    match catalog::nearest(
        &mistake.check,
        checks.iter().map(|check| check.name.as_str()),
    )
    .first()
    {
        Some(near) => format!("; is it `{near}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcomes: &[(&str, Outcome)]) -> Run {
        let checks = outcomes.iter().map(|(name, outcome)| Check {
            name: (*name).to_owned(),
            outcome: *outcome,
            points: 1,
            see: String::new(),
            why: format!("{name} returned 3"),
            message: format!("{name}:\n  x. expected 5,\n     it returned 3"),
            evidence: Vec::new(),
        });
        let checks: Vec<Check> = checks.collect();
        Run {
            report: Report {
                announced: checks.len(),
                checks,
                ended: true,
            },
            died: None,
        }
    }

    fn one_read(expect: &str) -> Mistake {
        Mistake {
            name: "one_read".into(),
            file: "wrong/one_read.rs".into(),
            says: "One read is enough.".into(),
            check: "b".into(),
            expect: expect.into(),
            source: None,
            line: 1,
        }
    }

    fn of_mistake(outcomes: &[(&str, Outcome)]) -> Judgement {
        mistake(&one_read("expected 5, it returned 3"), &run(outcomes))
    }

    #[test]
    fn a_stub_may_pass_nothing() {
        assert_eq!(
            stub(&run(&[("a", Outcome::Fail), ("b", Outcome::NotRun)]), &[]),
            Judgement {
                wrong: vec![],
                not_run: 1
            }
        );
        assert_eq!(
            stub(&run(&[("a", Outcome::Pass)]), &[]).wrong,
            ["the untouched stub passes `a`"]
        );
        assert!(
            stub(&run(&[("a", Outcome::Fail)]), &["warning: unused".into()]).wrong[0]
                .contains("warning: unused")
        );
    }

    #[test]
    fn a_solution_must_pass_all_that_was_run() {
        assert!(
            solution(&run(&[("a", Outcome::Pass), ("b", Outcome::NotRun)]))
                .wrong
                .is_empty()
        );
        assert_eq!(
            solution(&run(&[("a", Outcome::Fail)])).wrong,
            ["the solution fails `a`: a returned 3"]
        );
        assert!(
            solution(&run(&[("a", Outcome::Fault)])).wrong[0].contains("the grader itself failed")
        );
    }

    #[test]
    fn a_mistake_is_rejected_by_the_check_it_names_with_the_phrase_it_names() {
        assert!(
            of_mistake(&[
                ("a", Outcome::Pass),
                ("b", Outcome::Fail),
                ("c", Outcome::Fail)
            ])
            .wrong
            .is_empty()
        );
        assert_eq!(
            of_mistake(&[("b", Outcome::Pass)]).wrong,
            ["one_read is not rejected: `b` passes"]
        );
        assert!(
            of_mistake(&[("a", Outcome::Fail), ("b", Outcome::Fail)]).wrong[0]
                .contains("first rejected by `a`")
        );
        assert!(
            of_mistake(&[("bb", Outcome::Fail)]).wrong[0].ends_with("no check `b`; is it `bb`?")
        );
        assert_eq!(of_mistake(&[("b", Outcome::NotRun)]).not_run, 1);
        let judged = mistake(&one_read("EINTR"), &run(&[("b", Outcome::Fail)]));
        assert!(judged.wrong[0].contains("does not say “EINTR”"));
    }

    #[test]
    fn a_grader_that_stops_early_proves_nothing() {
        let mut early = run(&[("a", Outcome::Pass)]);
        early.report.announced = 2;
        assert_eq!(
            solution(&early).wrong,
            ["the grader announced 2 checks and ran 1"]
        );
        assert_eq!(solution(&run(&[])).wrong, ["the grader has no checks"]);
        early.died = Some("it wrote no report".into());
        assert!(solution(&early).wrong[0].contains("it wrote no report"));
    }
}
