use super::*;

const ENGLISH: &str = "# Sockets {#sockets}\n\nFirst words.\n\n## A {#a}\n\nText {{#claim 03.16}}\n\n```console\n$ a\nseen\n```\n\n```text\nwords\n```\n\n## B {#b}\n\nMore.\n\n## C {#c}\n\nEnd.\n";

fn catalog() -> Catalog {
    let mut catalog = Catalog::load(Path::new("/nowhere"));
    catalog.language = "zh-CN".into();
    catalog
}

fn merged(ours: &str) -> Merged {
    let page = Page {
        path: "03-sockets.md".into(),
        text: ENGLISH.into(),
    };
    merge(&catalog(), &page, ours)
}

fn print(id: &str) -> String {
    let (_, sections) = split(ENGLISH);
    let section = sections.iter().find(|section| section.id == id);
    section.expect("a section").fingerprint()
}

fn states(merged: &Merged) -> Vec<State> {
    merged
        .standings
        .iter()
        .map(|standing| standing.state)
        .collect()
}

#[test]
fn shared_blocks_stand_where_the_translation_wants_them() {
    let ours = format!(
        "## 甲 {{#a}}\n<!-- from {} -->\n\n文字 {{{{#claim 03.16}}}}\n\n{{{{#block}}}}\n\n```text\n字\n```\n",
        print("a")
    );
    let merged = merged(&ours);
    assert_eq!(merged.problems, []);
    assert_eq!(
        states(&merged),
        [
            State::Missing,
            State::Current,
            State::Missing,
            State::Missing
        ]
    );
    assert!(
        merged.text.contains("## 甲 {#a}\n\n\n文字 {{#claim 03.16}}\n\n```console\n$ a\nseen\n```\n\n```text\n字\n```\n"),
        "{}",
        merged.text
    );
    let at = merged
        .text
        .lines()
        .position(|line| line == "字")
        .expect("our block");
    assert_eq!(merged.origin[at], (true, 9));
    let at = merged
        .text
        .lines()
        .position(|line| line == "seen")
        .expect("the shared block");
    assert_eq!(merged.origin[at], (false, 11));
}

#[test]
fn what_is_not_translated_is_english_behind_one_note() {
    let merged = merged("");
    assert_eq!(
        merged.text.matches("class=\"translation missing\"").count(),
        1
    );
    assert_eq!(merged.text.matches("<div lang=\"en\">").count(), 1);
    assert!(
        merged.text.trim_end().ends_with("End.\n\n</div>"),
        "{}",
        merged.text
    );
    assert_eq!(merged.text.lines().count(), merged.origin.len());
}

#[test]
fn a_stale_section_says_so_and_leads_to_the_english_one() {
    let merged = merged("## 乙 {#b}\n<!-- from 00000000 -->\n\n多。\n");
    assert_eq!(states(&merged)[2], State::Stale);
    let note = "<p class=\"translation stale\">";
    assert!(merged.text.contains(note), "{}", merged.text);
    assert!(
        merged
            .text
            .contains("<a href=\"../03-sockets.html#b\" hreflang=\"en\">"),
        "{}",
        merged.text
    );
    // Its blocks no longer fit: English.
    let english = self::merged("## 甲 {#a}\n<!-- from 00000000 -->\n\n{{#block}}\n");
    assert_eq!(states(&english)[1], State::Stale);
    assert!(!english.text.contains("## 甲"), "{}", english.text);
}

#[test]
fn what_terminals_show_and_how_lines_break_makes_no_section_stale() {
    let (_, old) = split(ENGLISH);
    let shown = ENGLISH
        .replace("seen", "seen, too")
        .replace("Text {{", "Text\n{{");
    let (_, new) = split(&shown);
    assert_eq!(old[1].fingerprint(), new[1].fingerprint());
    let words = ENGLISH.replace("words\n", "other words\n");
    let (_, new) = split(&words);
    assert_ne!(old[1].fingerprint(), new[1].fingerprint());
}

#[test]
fn what_a_translation_lacks_is_said() {
    let problems = |ours: String| {
        let problems = merged(&ours).problems;
        problems
            .into_iter()
            .map(|(line, what)| format!("{line}: {what}"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let a = print("a");
    let lacks = problems(format!(
        "## 甲 {{#a}}\n<!-- from {a} -->\n\n{{{{#claim 03.17}}}}\n\n```console\n$ a\n```\n"
    ));
    assert!(
        lacks.contains("1: the section `a` has 1 blocks of code, and the English one 2"),
        "{lacks}"
    );
    assert!(
        lacks.contains("`{{#claim 03.16}}` is what the English section has"),
        "{lacks}"
    );
    assert!(
        lacks.contains("`{{#claim 03.17}}` is what the English section has not"),
        "{lacks}"
    );
    assert!(lacks.contains("6: a terminal is shared"), "{lacks}");
    assert!(problems("## 丁 {#d}\n".into()).contains("has no section `d`"));
    assert!(problems("### 乙 {#b}\n".into()).contains("level 2 in the English page, not 3"));
    assert!(problems("## 乙 {#b}\n".into()).contains("does not say what it was made from"));
    assert!(problems("## 乙\n".into()).contains("has no id"));
    assert!(problems("字\n".into()).starts_with("1: a translated page begins"));
}

#[test]
fn stamping_writes_what_a_section_was_made_from() {
    let root = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        let file = root.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, text).expect("written");
    };
    write("book/src/03-sockets.md", ENGLISH);
    write(
        "book/zh-CN/src/03-sockets.md",
        "# 套接字 {#sockets}\n\n字\n\n## 乙 {#b}\n<!-- from old -->\n多。\n",
    );
    let mut catalog = Catalog::load(root.path());
    catalog.language = "zh-CN".into();
    let page = Path::new("03-sockets.md");
    assert_eq!(stamp(&catalog, page, None).expect("stamped"), 2);
    let text =
        std::fs::read_to_string(root.path().join("book/zh-CN/src/03-sockets.md")).expect("there");
    let (one, two) = (print("sockets"), print("b"));
    assert_eq!(
        text,
        format!(
            "# 套接字 {{#sockets}}\n<!-- from {one} -->\n\n字\n\n## 乙 {{#b}}\n<!-- from {two} -->\n多。\n"
        )
    );
    let (standings, problems) = standings(&catalog).expect("read");
    assert_eq!(problems, []);
    assert_eq!(
        standings
            .iter()
            .filter(|standing| standing.state == State::Current)
            .count(),
        2
    );
    let none = stamp(&catalog, page, Some("c"))
        .expect_err("not there")
        .to_string();
    assert!(none.contains("no section `c`"), "{none}");
}

#[test]
fn lines_of_chinese_are_joined_and_others_are_not() {
    let text =
        "一行\n二行，\nread 三\nfour\n五。\n\n- 六\n- 七\n\n```text\n八\n九\n```\n十\n十一\n";
    let expected = "一行二行，read 三\nfour\n五。\n\n- 六\n- 七\n\n```text\n八\n九\n```\n十十一\n";
    assert_eq!(joined(text), expected);
}

#[test]
fn a_translated_page_goes_on_where_the_english_one_does() {
    let english = ENGLISH.replace("More.\n", "More.\n\n<!-- page: 03-more -->\n");
    let page = Page {
        path: "03-sockets.md".into(),
        text: english,
    };
    let ours = format!("## 乙 {{#b}}\n<!-- from {} -->\n\n多。\n", print("b"));
    let merged = merge(&catalog(), &page, &ours);
    assert_eq!(states(&merged)[2], State::Current);
    assert!(
        merged.text.contains("多。\n\n<!-- page: 03-more -->\n"),
        "{}",
        merged.text
    );
}

#[test]
fn code_may_run_over_the_end_of_a_line() {
    let (_, sections) = split("# A {#a}\n\nSet `a\nb` {{#claim 03.16}} and `{{#claim 03.17}}`.\n");
    assert_eq!(sections[0].directives(), ["{{#claim 03.16}}"]);
}
