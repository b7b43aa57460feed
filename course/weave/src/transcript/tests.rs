//! Reading transcripts off a page.

use super::*;

fn page(text: &str) -> Page {
    Page {
        path: "page.md".into(),
        text: text.into(),
    }
}

fn wrong(text: &str) -> Vec<String> {
    let problems = sections(&page(text)).expect_err("something is wrong");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn blocks_stand_in_sections_with_their_lines() {
    let text = "# A {#a}\n\n```console\n$ true\n```\n\n## B {#b}\n\n- item\n\n  ```console terminal=server\n  $ x\n  at [PORT]\n  ```\n\n\
                ### C {#c}\n\n```console terminal=client unverified=\"it takes an hour\"\n$ y [PORT]\n> hi\n> ^D\n...\n> ^C\n```\n\n#### D {#d}\n\n```console\n$ z \\\n  --all\n\\> out\n```\n";
    let found = sections(&page(text)).expect("all is well");
    let ids: Vec<&str> = found.iter().map(|section| section.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let server = &found[1].blocks[0];
    assert_eq!(
        (
            server.line,
            server.terminal.as_str(),
            server.lines[1].number
        ),
        (11, "server", 13)
    );
    assert_eq!(server.lines[1].text, "at [PORT]");
    let client = &found[2].blocks[0];
    assert_eq!(client.unverified.as_deref(), Some("it takes an hour"));
    let kinds: Vec<&Kind> = client.lines.iter().skip(1).map(|line| &line.kind).collect();
    assert_eq!(
        kinds,
        [
            &Kind::Typed("hi".into()),
            &Kind::EndOfInput,
            &Kind::Anything,
            &Kind::Interrupt
        ]
    );
    let last = &found[2].blocks[1];
    assert_eq!(last.lines.len(), 2);
    assert_eq!(
        last.lines[0].kind,
        Kind::Command(Command::new("z \\\n  --all"))
    );
    assert!(!found[0].blocks[0].lines.is_empty() && found[2].is_replayed());
}

#[test]
fn what_cannot_be_played_is_said_with_its_line() {
    for (text, expected) in [
        (
            "```console terminl=x\n$ a\n```",
            "page.md:1: a console block has no `terminl`",
        ),
        (
            "```console x\n$ a\n```",
            "page.md:1: `x` is not `name=value`",
        ),
        (
            "```console terminal=\n$ a\n```",
            "page.md:1: `terminal` of a console block needs a value",
        ),
        ("```console unverified=\"x\n$ a\n```", "is not `name=value`"),
        ("```console\n```", "page.md:1: the console block is empty"),
        (
            "```console\nout\n```",
            "page.md:2: nothing runs in this terminal yet",
        ),
        (
            "```console terminal=b\n> in\n```",
            "page.md:2: nothing runs in the terminal `b` yet",
        ),
        (
            "```console\n$ a [PORT]\n```",
            "page.md:2: `[PORT]` is not known yet",
        ),
        (
            "```console\n$ cargo test\n```",
            "page.md:2: `cargo test` is no program",
        ),
        (
            "```console host=a\n$ a\n```\n\n```console terminal=x\n$ a\n```",
            "page.md:5: others in this section are at hosts",
        ),
        (
            "```console host=a\n$ a\n```\n\n```console host=b terminal=a\n$ a\n```",
            "page.md:5: the terminal `a` is at host a above",
        ),
    ] {
        let found = wrong(text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].contains(expected), "{text}: {}", found[0]);
    }
}

#[test]
fn what_is_not_replayed_need_not_be_playable() {
    let text = "```console unverified=\"needs the Internet\"\n$ cargo test [PORT]\n```\n";
    assert!(!sections(&page(text)).expect("fine")[0].is_replayed());
}
