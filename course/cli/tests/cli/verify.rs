//! Verify finds what is wrong, each thing by its name, and nothing where all is well.

use crate::support::{Course, RIGHT};

/// What is found when something is changed.
#[track_caller]
fn found(course: &Course, arguments: &str) -> String {
    let ran = course.run(arguments);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    ran.out
}

#[test]
fn a_sound_course_is_well_also_when_a_learner_has_edited_it() {
    let course = Course::new();
    let out = course.ok("verify --pristine --soak 2");
    assert!(
        out.contains("order     ✓     ✓              3/3       3")
            && out.contains("2/2 under load"),
        "{out}"
    );
    assert!(
        out.contains(
            "✓ 03-sockets  100.0 % of 5 lines told · 3 claims: 2 by experiment, 1 by authority"
        ),
        "{out}"
    );
    assert!(out.ends_with("All is well.\n"), "{out}");

    course.answer(RIGHT);
    let out = course.ok("verify order");
    assert!(out.contains("edited") && !out.contains("total"), "{out}");
    let out = found(&course, "verify order --pristine");
    assert!(
        out.contains("exercises/03-sockets/order/src differs from solutions/03-sockets/order/stub"),
        "{out}"
    );
}

#[test]
fn each_way_to_be_unsound_is_found() {
    let course = Course::new();
    // The stub passes a check, and has a warning. A solution fails. A mistake is not one, another says something else,
    // a third does not compile, a fourth is nobody's.
    let solution = "solutions/03-sockets/total";
    course.edit(
        &format!("{solution}/stub/lib.rs"),
        "first + second + 1",
        "let unused = 1;\n    first + second * 2",
    );
    course.edit(
        &format!("{solution}/src/lib.rs"),
        "first + second",
        "first.max(second) + second.min(1) * 3",
    );
    course.edit(
        &format!("{solution}/wrong/larger.rs"),
        "first.max(second)",
        "first + second",
    );
    course.edit(
        &format!("{solution}/wrong/first.rs"),
        "    first\n",
        "    first + 1\n",
    );
    course.edit(
        &format!("{solution}/wrong/product.rs"),
        "first * second",
        "first * sekond",
    );
    course.write(&format!("{solution}/wrong/stray.rs"), "");
    let out = found(&course, "verify total");
    for what in [
        "total: the stub compiles with 1 warnings; the first: warning: unused variable: `unused`",
        "total: the untouched stub passes `nothing_is_nothing`",
        "total: larger is not rejected: `adds` passes",
        "total: first is rejected by `adds`, but the message does not say “got 3”; it says: total(3, 4): got 4",
        "solutions/03-sockets/total/wrong/product.rs does not compile:\nerror[E0425]",
        "solutions/03-sockets/total/wrong/stray.rs: ",
    ] {
        assert!(out.contains(what), "{what}\nis not in\n{out}");
    }
    assert!(out.contains("total     ✗     ✓              0/3"), "{out}");

    course.edit(&format!("{solution}/src/lib.rs"), "* 3", "* 4");
    assert!(
        found(&course, "verify total")
            .contains("total: the solution fails `adds`: total(3, 4): got 8")
    );
}

#[test]
fn a_mistake_must_be_rejected_by_the_check_it_names() {
    let course = Course::new();
    let manifest = "exercises/03-sockets/order/Cargo.toml";
    course.edit(manifest, "check = \"seven\"", "check = \"large\"");
    let out = found(&course, "verify order");
    assert!(
        out.contains("little is not rejected: `large` passes"),
        "{out}"
    );
}

#[test]
fn untold_lines_claims_without_experiment_and_dead_links_are_found() {
    let course = Course::new();
    course.edit(
        "chapters/03-sockets/src/lib.rs",
        "/// The bytes",
        "// ANCHOR: told\n/// The bytes",
    );
    course.write(
        "chapters/03-sockets/src/lib.rs",
        &(course.read("chapters/03-sockets/src/lib.rs") + "// ANCHOR_END: told\n"),
    );
    course.edit(
        "book/src/03-sockets.md",
        "src/lib.rs}}",
        "src/lib.rs:told}}\n\n[nowhere](nowhere.md)",
    );
    course.edit(
        "chapters/03-sockets/tests/claims.rs",
        "(\"larger_byte_first\", 0",
        "(\"largest_byte_first\", 0",
    );
    let out = found(&course, "verify 3");
    assert!(
        out.contains("chapters/03-sockets: 4 of 5 lines are told, 95 % are wanted"),
        "{out}"
    );
    assert!(out.contains("chapters/03-sockets/src/lib.rs:1"), "{out}");
    assert!(
        out.contains("chapters/03-sockets/claims.toml:1: claim 03.1 has no experiment `larger_byte_first`; is it `largest_byte_first`?"),
        "{out}"
    );
    assert!(
        out.contains("chapters/03-sockets/tests/claims.rs: `largest_byte_first` decides no claim"),
        "{out}"
    );
    let out = found(&course, "verify");
    assert!(
        out.contains("book/src/03-sockets.md:7: the link `nowhere.md` leads nowhere"),
        "{out}"
    );
}

#[test]
fn what_was_not_run_is_counted_as_such() {
    let course = Course::new();
    let grader = "exercises/03-sockets/order/tests/grade.rs";
    course.edit(
        grader,
        "    expect(7, [0, 7])",
        "    Err(\"not run: needs hosts\".into())",
    );
    let out = course.ok("verify order");
    assert!(out.contains("order     ✓     ○              2/3"), "{out}");
    assert!(out.contains("1 check not run, 1 mistake not run"), "{out}");
    assert!(
        out.contains("Nothing is wrong, but 2 could not be run here"),
        "{out}"
    );
}

/// A cargo in front of the real one, which has no `mutants`, or one that does what the script says.
fn with_mutants(course: &Course, script: &str) -> std::process::Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let text =
        format!("#!/bin/sh\ncase \"$1\" in mutants) {script};; *) exec '{cargo}' \"$@\";; esac\n");
    course.write("cargo.sh", &text);
    let path = course.path("cargo.sh");
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, runs).unwrap();
    let mut command = course.command("verify order --mutants");
    command.env("CARGO", path);
    command
}

fn said(command: &mut std::process::Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn without_cargo_mutants_there_are_no_mutants() {
    let course = Course::new();
    let (code, out) = said(&mut with_mutants(&course, "exit 101"));
    assert_eq!(
        out,
        "not run: needs cargo-mutants: `cargo install --locked cargo-mutants`\n"
    );
    assert_eq!(code, Some(0));
}

#[test]
fn mutants_that_survive_are_listed_or_wrong() {
    let course = Course::new();
    let mutant = |change: &str, summary: &str| {
        format!(
            r#"{{"summary":"{summary}","scenario":{{"Mutant":{{"name":"src/lib.rs:5:5: {change}","span":{{"start":{{"line":LINE}}}}}}}}}}"#
        )
    };
    let source = course.read("solutions/03-sockets/order/src/lib.rs");
    let line = source
        .lines()
        .position(|line| line.contains("port."))
        .unwrap();
    let outcomes = format!(
        r#"{{"outcomes":[{{"scenario":"Baseline","summary":"Success"}},{},{}]}}"#,
        mutant("replace a", "CaughtMutant"),
        mutant("replace b", "MissedMutant")
    )
    .replace("LINE", &(line + 1).to_string());
    course.write("outcomes.json", &outcomes);
    // It is run where the solution is, and its grader.
    let script = format!(
        "[ \"$2\" = --version ] || {{ [ -f src/lib.rs ] && mkdir mutants.out && cp '{}' mutants.out; }}",
        course.path("outcomes.json").display()
    );
    let (code, out) = said(&mut with_mutants(&course, &script));
    let text = source.lines().nth(line).unwrap().trim();
    let wrong = format!(
        "order: no check notices `replace b` at solutions/03-sockets/order/src/lib.rs:{}: `{text}`",
        line + 1
    );
    assert!(out.contains(&wrong), "{out}");
    assert!(
        out.contains("order           2         0       1         0       0   50.0 %"),
        "{out}"
    );
    assert_eq!(code, Some(1));

    let entry = |change: &str| {
        format!("[[mutant]]\nchange = '{change}'\nline = '{text}'\nwhy = 'It is the same.'\n")
    };
    course.write(
        "solutions/03-sockets/order/mutants.toml",
        &entry("replace b"),
    );
    let (code, out) = said(&mut with_mutants(&course, &script));
    assert!(out.ends_with("All is well.\n") && code == Some(0), "{out}");

    course.write(
        "solutions/03-sockets/order/mutants.toml",
        &(entry("replace b") + &entry("replace a")),
    );
    let (code, out) = said(&mut with_mutants(&course, &script));
    assert!(
        out.contains("solutions/03-sockets/order/mutants.toml:5: `replace a` does not survive"),
        "{out}"
    );
    assert_eq!(code, Some(1));
}
