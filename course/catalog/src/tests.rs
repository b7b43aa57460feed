//! The catalog, read from small courses in a temporary folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{Catalog, Decider, Kind, Verdict, find_root};

const EXERCISE: &str = "exercises/03-sockets/short-reads/Cargo.toml";
const CLAIMS: &str = "chapters/03-sockets/claims.toml";

/// A course with one chapter, two claims and one exercise, in which nothing is wrong.
fn course() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path();
    write(root, "Cargo.toml", "[workspace]\nmembers = []\n");
    write(
        root,
        "chapters/03-sockets/Cargo.toml",
        "[package]\nname = \"sockets\"\n",
    );
    write(root, "chapters/03-sockets/src/lib.rs", "");
    write(
        root,
        "chapters/03-sockets/src/bin/slow-writer.rs",
        "fn main() {}\n",
    );
    write(
        root,
        "chapters/03-sockets/tests/claims.rs",
        "fn bind_with_a_pointer(cx: &Check) -> Verdict { PASS }\n",
    );
    write(
        root,
        CLAIMS,
        r#"[[claim]]
id = "03.1"
ledger = ["E03.1"]
says = "A pointer's size will do."
verdict = "wrong"
correction = "It sees eight bytes."
experiment = "bind_with_a_pointer"
seen = "a file named foo.so"
reads = ["bind(2)"]

[[claim]]
id = "03.2"
says = "Network order is big-endian."
verdict = "true"
authority = "RFC 1700"
"#,
    );
    write(
        root,
        "book/src/03-sockets.md",
        "# Sockets, introduced {#sockets}\n\n## A stream has no edges {#no-edges}\n",
    );
    exercise(root, "short-reads");
    dir
}

fn exercise(root: &Path, slug: &str) {
    let dir = format!("exercises/03-sockets/{slug}");
    write(
        root,
        &format!("{dir}/Cargo.toml"),
        &format!(
            r#"[package]
name = "{slug}"

[package.metadata.course]
title = "Read it all"
kind = "write"
level = 1
section = "03-sockets#no-edges"
needs = ["hosts"]
hints = ["Print it.", "Count."]

[[package.metadata.course.mistake]]
file = "one.rs"
says = "One read is enough."
check = "waits"
expect = "returned 3"
source = "https://example.org/1"

[[package.metadata.course.mistake]]
file = "two.rs"
says = "Two."
check = "waits"
expect = "2"

[[package.metadata.course.mistake]]
file = "three.rs"
says = "Three."
check = "waits"
expect = "3"
"#
        ),
    );
    write(root, &format!("{dir}/src/lib.rs"), "//! Read.\n");
    write(root, &format!("{dir}/src/deep/more.rs"), "");
    write(
        root,
        &format!("{dir}/tests/grade.rs"),
        "fn waits(cx: &Check) -> Verdict { PASS }\n",
    );
    let solution = format!("solutions/03-sockets/{slug}");
    for file in [
        "Cargo.toml",
        "src/lib.rs",
        "tests/grade.rs",
        "stub/lib.rs",
        "wrong/one.rs",
        "wrong/two.rs",
        "wrong/three.rs",
    ] {
        write(root, &format!("{solution}/{file}"), "");
    }
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    fs::write(path, text).expect("write the file");
}

/// Replaces `old`, which must be there, in a file of the course.
fn edit(root: &Path, file: &str, old: &str, new: &str) {
    let text = fs::read_to_string(root.join(file)).expect("read the file");
    assert!(text.contains(old), "{file} has no {old:?}");
    write(root, file, &text.replacen(old, new, 1));
}

/// All problems, as they are shown.
fn problems(root: &Path) -> Vec<String> {
    Catalog::load(root)
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_sound_course_is_read_whole() {
    let dir = course();
    let catalog = Catalog::load_strict(dir.path()).expect("nothing is wrong");

    let chapter = &catalog.chapters[0];
    assert_eq!((chapter.number, chapter.package.as_str()), (3, "sockets"));
    assert_eq!(chapter.title, "Sockets, introduced");
    assert_eq!(chapter.page, Path::new("book/src/03-sockets.md"));
    assert_eq!(chapter.heading("no-edges").expect("a heading").line, 3);
    assert_eq!(chapter.programs[0].name, "slow-writer");
    assert_eq!(
        chapter.programs[0].file,
        Path::new("chapters/03-sockets/src/bin/slow-writer.rs")
    );

    let claim = catalog.claim("03.1").expect("a claim");
    assert_eq!(claim.verdict, Verdict::Wrong);
    assert_eq!(
        claim.decided_by,
        Decider::Experiment("bind_with_a_pointer".into())
    );
    assert_eq!(claim.anchor(), "claim-03-1");
    assert_eq!(claim.line, 1);
    assert_eq!(catalog.claim("03.2").expect("a claim").line, 11);

    let exercise = catalog.exercise("short-reads").expect("an exercise");
    assert_eq!(
        (exercise.kind, exercise.level, exercise.number),
        (Kind::Write, 1, 3)
    );
    assert_eq!(exercise.section.to_string(), "03-sockets#no-edges");
    assert_eq!(exercise.hints, ["Print it.", "Count."]);
    assert_eq!(exercise.needs, ["hosts"]);
    assert_eq!(
        exercise.main_file(),
        Path::new("exercises/03-sockets/short-reads/src/lib.rs")
    );
    assert_eq!(exercise.stubs.len(), 2);
    let mistake = &exercise.mistakes[0];
    assert_eq!(mistake.name, "one");
    assert_eq!(
        mistake.file,
        Path::new("solutions/03-sockets/short-reads/wrong/one.rs")
    );
    assert_eq!(mistake.line, 12);
    assert_eq!(mistake.source.as_deref(), Some("https://example.org/1"));
}

#[test]
fn the_root_is_found_from_below_and_its_absence_is_said() {
    let dir = course();
    let root = dir.path().canonicalize().expect("it exists");
    assert_eq!(
        find_root(&root.join("exercises/03-sockets/short-reads/src")).expect("found"),
        root
    );
    let nowhere = tempfile::tempdir().expect("a temporary folder");
    let error = find_root(nowhere.path())
        .expect_err("there is no course")
        .to_string();
    assert!(error.contains("change into your clone"), "{error}");
}

#[test]
fn wrong_values_are_said_all_at_once_with_their_lines() {
    let dir = course();
    edit(dir.path(), EXERCISE, "level = 1", "level = 7");
    edit(dir.path(), EXERCISE, "kind = \"write\"", "kind = \"wirte\"");
    edit(dir.path(), EXERCISE, "needs = ", "neds = ");
    edit(dir.path(), EXERCISE, ", \"Count.\"", "");
    edit(dir.path(), EXERCISE, "\"one.rs\"", "\"none.rs\"");
    assert_eq!(
        problems(dir.path()),
        [
            format!(
                "{EXERCISE}:4: the exercise has 1 of the 2 hints it needs at least: begin with a nudge"
            ),
            format!("{EXERCISE}:6: kind must be write, fix, predict or read, not `wirte`"),
            format!("{EXERCISE}:7: level must be 1, 2 or 3, not 7"),
            format!("{EXERCISE}:9: the exercise has an unknown key `neds`: did you mean `needs`?"),
            format!(
                "{EXERCISE}:13: there is no solutions/03-sockets/short-reads/wrong/none.rs: add it, or correct the name"
            ),
            format!(
                "solutions/03-sockets/short-reads/wrong/one.rs: no mistake of {EXERCISE} names this file: declare it, or remove it"
            ),
        ]
    );
}

#[test]
fn a_broken_exercise_leaves_the_others_standing() {
    let dir = course();
    exercise(dir.path(), "value-result");
    edit(
        dir.path(),
        EXERCISE,
        "title = \"Read it all\"",
        "title = Read it all",
    );
    let catalog = Catalog::load(dir.path());
    assert_eq!(catalog.exercises.len(), 1);
    assert_eq!(catalog.problems.len(), 1);
    let shown = catalog.problems[0].to_string();
    assert!(
        shown.starts_with(&format!("{EXERCISE}:5: this is not valid TOML: ")),
        "{shown}"
    );
    let unknown = catalog
        .exercise("short-reads")
        .expect_err("it cannot be read")
        .to_string();
    assert!(
        unknown.starts_with("the exercise `short-reads` cannot be read: exercises/"),
        "{unknown}"
    );
    assert_eq!(
        catalog
            .problems_under(Path::new("exercises/03-sockets/short-reads"))
            .count(),
        1
    );
}

#[test]
fn missing_files_are_said() {
    let dir = course();
    for file in [
        "exercises/03-sockets/short-reads/src/lib.rs",
        "solutions/03-sockets/short-reads/src/lib.rs",
    ] {
        fs::remove_file(dir.path().join(file)).expect("remove it");
    }
    assert_eq!(
        problems(dir.path()),
        [
            "exercises/03-sockets/short-reads: the stub is missing: add src/lib.rs",
            "solutions/03-sockets/short-reads/src/lib.rs: the reference answer is missing: add it, see CONTRIBUTING.md",
        ]
    );
    fs::remove_dir_all(dir.path().join("solutions")).expect("remove it");
    fs::remove_file(
        dir.path()
            .join("exercises/03-sockets/short-reads/tests/grade.rs"),
    )
    .expect("remove it");
    assert_eq!(problems(dir.path()).len(), 9);
}

#[test]
fn a_section_must_name_a_chapter_and_a_heading() {
    let dir = course();
    edit(dir.path(), EXERCISE, "#no-edges", "#no-edge");
    assert_eq!(
        problems(dir.path()),
        [format!(
            "{EXERCISE}:8: section: no heading of book/src/03-sockets.md has the id `no-edge`; did you mean `no-edges`?"
        )]
    );
    edit(
        dir.path(),
        EXERCISE,
        "03-sockets#no-edge",
        "04-sockets#no-edge",
    );
    assert_eq!(
        problems(dir.path()),
        [format!(
            "{EXERCISE}:8: section names no chapter: there is no chapters/04-sockets; did you mean `03-sockets`?"
        )]
    );
    edit(dir.path(), EXERCISE, "04-sockets#no-edge", "sockets");
    assert!(
        problems(dir.path())[0].contains("section must be a chapter's folder and a heading's id")
    );
}

#[test]
fn slugs_names_and_checks_must_fit_together() {
    let dir = course();
    write(
        dir.path(),
        "chapters/04-tcp/Cargo.toml",
        "[package]\nname = \"tcp\"\n",
    );
    write(dir.path(), "chapters/04-tcp/src/bin/slow-writer.rs", "");
    write(dir.path(), "book/src/04-tcp.md", "# TCP {#tcp}\n");
    write(dir.path(), "exercises/04-tcp/short-reads/Cargo.toml", "");
    write(dir.path(), "exercises/05-udp/pings/Cargo.toml", "");
    write(dir.path(), "solutions/03-sockets/lost/Cargo.toml", "");
    edit(
        dir.path(),
        EXERCISE,
        "name = \"short-reads\"",
        "name = \"long-reads\"",
    );
    edit(
        dir.path(),
        EXERCISE,
        "check = \"waits\"",
        "check = \"wait\"",
    );
    assert_eq!(
        problems(dir.path()),
        [
            "chapters/04-tcp/src/bin/slow-writer.rs: chapters/03-sockets/src/bin/slow-writer.rs is called `slow-writer` too: rename one",
            "exercises/03-sockets/short-reads/Cargo.toml:2: the package's name must be its folder's: `short-reads`",
            "exercises/03-sockets/short-reads/Cargo.toml:12: the grader has no check `wait`: exercises/03-sockets/short-reads/tests/grade.rs has no such `fn`",
            "exercises/04-tcp/short-reads: exercises/03-sockets/short-reads is called `short-reads` too: a slug is unique, rename one",
            "exercises/05-udp/pings: there is no chapter chapters/05-udp",
            "solutions/03-sockets/lost: there is no exercise exercises/03-sockets/lost",
        ]
    );
}

#[test]
fn a_claim_needs_one_way_of_deciding_and_its_evidence() {
    let dir = course();
    edit(dir.path(), CLAIMS, "seen = \"a file named foo.so\"\n", "");
    edit(dir.path(), CLAIMS, "authority = \"RFC 1700\"\n", "");
    assert_eq!(
        problems(dir.path()),
        [
            format!(
                "{CLAIMS}:1: this claim has no `seen`: record in a few words what the experiment showed"
            ),
            format!(
                "{CLAIMS}:10: this claim has neither `experiment` nor `authority`: it needs one of the two"
            ),
        ]
    );
    edit(
        dir.path(),
        CLAIMS,
        "reads =",
        "seen = \"it\"\nauthority = \"RFC 1\"\nreads =",
    );
    assert!(problems(dir.path())[0].contains("both `experiment` and `authority`"));
}

#[test]
fn a_claim_needs_an_id_a_verdict_a_correction_and_a_test() {
    let dir = course();
    edit(
        dir.path(),
        CLAIMS,
        "verdict = \"wrong\"",
        "verdict = \"false\"",
    );
    edit(dir.path(), CLAIMS, "id = \"03.1\"", "id = \"3.1\"");
    edit(
        dir.path(),
        CLAIMS,
        "verdict = \"true\"\nauthority",
        "verdict = \"platform\"\nauthorty",
    );
    let found = problems(dir.path());
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found[0].contains(":2: id must be `03.` and a number, such as `03.16`, not `3.1`"),
        "{found:#?}"
    );
    assert!(
        found[1].contains(
            ":5: verdict must be true, conditional, outdated, wrong, platform or opinion"
        )
    );
    assert!(
        found[2].contains(":11: this claim has neither"),
        "{found:#?}"
    );
    assert!(
        found[3].contains(":11: this claim has no `correction`"),
        "{found:#?}"
    );
    assert!(
        found[4]
            .contains(":15: this claim has an unknown key `authorty`: did you mean `authority`?")
    );

    let dir = course();
    edit(
        dir.path(),
        CLAIMS,
        "\"bind_with_a_pointer\"",
        "\"bind_with_a\"",
    );
    edit(dir.path(), CLAIMS, "\"03.2\"", "\"03.1\"");
    assert_eq!(
        problems(dir.path()),
        [
            format!(
                "{CLAIMS}:1: claim 03.1: no file under chapters/03-sockets/tests has a `fn bind_with_a`"
            ),
            format!("{CLAIMS}:12: the claim on line 1 has the id `03.1` too: choose another"),
        ]
    );
}

#[test]
fn a_word_selects_an_exercise_a_chapter_or_all() {
    let dir = course();
    exercise(dir.path(), "value-result");
    edit(dir.path(), EXERCISE, "level = 1", "level = 2");
    let catalog = Catalog::load(dir.path());
    let slugs = |word: &str| -> Vec<String> {
        catalog
            .select(word)
            .expect("known")
            .iter()
            .map(|exercise| exercise.slug.clone())
            .collect()
    };
    for word in ["all", "3", "03", "03-sockets", "sockets"] {
        assert_eq!(slugs(word), ["value-result", "short-reads"], "{word}");
    }
    assert_eq!(slugs("short-reads"), ["short-reads"]);
    let unknown = catalog
        .select("short-raeds")
        .expect_err("unknown")
        .to_string();
    assert_eq!(
        unknown,
        "no exercise or chapter is called `short-raeds`; did you mean short-reads?"
    );
    let unknown = catalog.select("zebra").expect_err("unknown").to_string();
    assert_eq!(
        unknown,
        "no exercise or chapter is called `zebra`; `cargo course list` shows them all"
    );
}
