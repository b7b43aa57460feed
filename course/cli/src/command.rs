//! What was asked for? The command line, and the help that is made from the doc comments below.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use catalog::nearest;
use lexopt::{Arg, ValueExt};

use crate::paint::{bold, cyan};

/// What was typed is wrong; the program ends with status 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// One command: its doc comment is its help, its usage says which words and options it takes.
pub struct Help {
    verb: Verb,
    usage: &'static str,
    text: &'static [&'static str],
}

macro_rules! commands {
    ($($usage:literal $(#[doc = $doc:literal])+ $verb:ident)+) => {
        /// What to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Verb { $($(#[doc = $doc])+ $verb),+ }

        const COMMANDS: &[Help] = &[$(Help { verb: Verb::$verb, usage: $usage, text: &[$($doc),+] }),+];
    };
}

commands! {
    "watch"
    /// Show where you stand, then grade on each save; the default.
    ///
    /// Saving an exercise makes it the current one. When it passes, the next one becomes current.
    /// Keys in a terminal: h hint, n next, l list, s solution, q quit; Enter grades again.
    Watch

    "list [--json]"
    /// List all exercises, and how you stand with each.
    ///
    /// `done`, `changed` since it passed, `failing`, or `new`. --json is for programs.
    List

    "grade [slug|chapter|all]... [--all] [--json] [--events]"
    /// Grade an exercise: the current one, or those that you name.
    ///
    /// The first check that fails is shown in full, the others in a line each; --all shows all in full.
    /// Ends with status 0 if all passed and 1 if not. --json prints the report for programs;
    /// --events tells them what happens as it happens, until they close standard input.
    Grade

    "hint [slug] [--all]"
    /// Show a hint; each time you ask, one more.
    Hint

    "next [slug]"
    /// Make the next unsolved exercise current, or the one you name.
    Next

    "reset slug"
    /// Make an exercise what it was at first, and keep your files.
    ///
    /// They are copied to .course/backup/<slug>/<time> before anything is changed.
    Reset

    "solution [slug] [--peek] [--path]"
    /// Show the reference answer, once yours has passed.
    ///
    /// --peek shows it before.
    /// --path prints where its file is, for your editor.
    Solution

    "claims [chapter|id] [--events]"
    /// Run the book's experiments on your kernel: recorded against seen.
    ///
    /// --events is for programs, as with `grade`.
    Claims

    "wire record|slug|check|program [--out FILE]"
    /// Show what was on the wire: a record's frames, or those of checks.
    ///
    /// A record is one that the book draws. An exercise's, a test's or a program's checks are run for it.
    /// --out FILE writes pcapng, for Wireshark and tcpdump.
    Wire

    "trace slug|check|program [--svg FILE] [-- WORDS]"
    /// Show system calls, frames and hosts on one time line.
    ///
    /// An exercise's, a test's or a program's checks are run, and what each of them called is shown.
    /// With words after `--`, or a path with a `/`, the program itself runs here: what it calls goes to standard error.
    /// --svg FILE draws the time line.
    Trace

    "class grade|files what [--out DIR] [--exercise SLUG] [--jobs N] [--unsandboxed]"
    /// Grade a whole class, or write the files for engines that do.
    ///
    /// `grade FOLDER` grades a folder of submissions, one folder a student, each in a sandbox. It writes
    /// results/<student>/grade.json and results.json (Gradescope), scores.csv and junit.xml; run again, it
    /// goes on where it was. --exercise SLUG: only that one. --jobs N: so many at once.
    /// --unsandboxed: where the machine allows no namespaces.
    /// `files github-classroom|gradescope|kubernetes` writes what those need into --out DIR.
    Class

    "verify [slug|chapter|all]... [--pristine] [--soak N] [--mutants] [--bless]"
    /// Prove that stubs fail, solutions pass, and mistakes are caught.
    ///
    /// Also: enough lines told, claims and experiments one to one, links that hold, terminals
    /// that show what they did.
    /// --pristine: an edited exercise is an error. --soak N: each solution N times more, under load.
    /// --mutants: change solutions in small ways instead, and find the changes that no check notices.
    /// --bless: put what a chapter's terminals show now into its page.
    Verify

    "translate [page|part] [--stamp] [--draft]"
    /// Show what can be read in another language, and is up to date.
    ///
    /// A part is claims/05, exercises/05 or reasons/05. --stamp: what is named is right as it is
    /// now, a page, a part or page#section.
    /// --draft prints what a part lacks, in English, as its file wants it.
    Translate

    "doctor"
    /// Say what this machine can do, and how to get what it lacks.
    Doctor

    "help [command]"
    /// Show this, or more on one command.
    Help
}

/// The command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// What to do.
    pub verb: Verb,
    /// To what.
    pub names: Vec<String>,
    /// `--all`
    pub all: bool,
    /// `--peek`
    pub peek: bool,
    /// `--path`
    pub path: bool,
    /// `--json`
    pub json: bool,
    /// `--events`
    pub events: bool,
    /// `--pristine`
    pub pristine: bool,
    /// `--soak N`
    pub soak: usize,
    /// `--mutants`
    pub mutants: bool,
    /// `--bless`
    pub bless: bool,
    /// `--stamp`
    pub stamp: bool,
    /// `--draft`
    pub draft: bool,
    /// `--lang LANGUAGE`
    pub lang: Option<String>,
    /// `--out FILE`
    pub out: Option<PathBuf>,
    /// `--svg FILE`
    pub svg: Option<PathBuf>,
    /// What stands behind `--`, for the program that is run; also an empty list, when nothing does
    pub words: Option<Vec<String>>,
    /// `--exercise SLUG`
    pub exercise: Option<String>,
    /// `--jobs N`, at least 1
    pub jobs: Option<usize>,
    /// `--unsandboxed`
    pub unsandboxed: bool,
}

impl Asked {
    /// The default command, without words and options.
    fn nothing() -> Asked {
        Asked {
            verb: Verb::Watch,
            names: Vec::new(),
            all: false,
            peek: false,
            path: false,
            json: false,
            events: false,
            pristine: false,
            soak: 0,
            mutants: false,
            bless: false,
            stamp: false,
            draft: false,
            lang: None,
            out: None,
            svg: None,
            words: None,
            exercise: None,
            jobs: None,
            unsandboxed: false,
        }
    }
}

/// What stands behind `--`, for a command that takes it.
fn for_a_program(help: &Help, words: Vec<std::ffi::OsString>) -> Result<Vec<String>, Usage> {
    if !help.usage.ends_with("[-- WORDS]") {
        return Err(Usage(format!(
            "`{}` runs no program, and takes no words after `--`: cargo course {}",
            help.name(),
            help.usage
        )));
    }
    let plain = words
        .into_iter()
        .skip(1)
        .map(std::ffi::OsString::into_string);
    let plain: Result<_, _> = plain.collect();
    plain.map_err(|word| Usage(format!("{} is not UTF-8", word.display())))
}

/// Understands the arguments, without the program's name.
///
/// # Errors
///
/// [`Usage`] names what is wrong, and what could have been meant.
pub fn understand(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Asked> {
    let mut arguments = arguments.into_iter().peekable();
    // As `cargo-course` on the path, cargo passes the subcommand's own name first.
    if arguments.peek().is_some_and(|first| first == "course") {
        arguments.next();
    }
    let mut arguments: Vec<_> = arguments.collect();
    // What stands behind `--` is not for us.
    let words = arguments.iter().position(|word| word == "--");
    let words = words.map(|at| arguments.split_off(at));
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut help: Option<&Help> = None;
    let mut asked = Asked::nothing();
    let mut wants_help = false;
    while let Some(argument) = parser.next().map_err(|error| Usage(error.to_string()))? {
        let option = match argument {
            Arg::Value(word) => {
                let word = word.string().map_err(|error| Usage(error.to_string()))?;
                match help {
                    None => help = Some(command(&word)?),
                    Some(_) => asked.names.push(word),
                }
                continue;
            }
            Arg::Short('h') | Arg::Long("help") => {
                wants_help = true;
                continue;
            }
            Arg::Short('V') | Arg::Long("version") => {
                asked.verb = Verb::Help;
                asked.names = vec!["--version".into()];
                return Ok(asked);
            }
            Arg::Long("lang") => {
                asked.lang = Some(language(&mut parser)?);
                continue;
            }
            Arg::Short(letter) => format!("-{letter}"),
            Arg::Long(name) => format!("--{name}"),
        };
        let usage = help.map_or("", |help| help.usage);
        if !usage.contains(&format!("[{option}")) {
            return Err(unknown_option(&option, help));
        }
        match option.as_str() {
            "--all" => asked.all = true,
            "--peek" => asked.peek = true,
            "--path" => asked.path = true,
            "--json" => asked.json = true,
            "--events" => asked.events = true,
            "--pristine" => asked.pristine = true,
            "--mutants" => asked.mutants = true,
            "--bless" => asked.bless = true,
            "--stamp" => asked.stamp = true,
            "--draft" => asked.draft = true,
            "--unsandboxed" => asked.unsandboxed = true,
            "--exercise" => {
                let slug = parser.value().and_then(ValueExt::string);
                let slug = slug.map_err(|_| {
                    Usage("--exercise needs a slug: --exercise value-result".into())
                })?;
                asked.exercise = Some(slug);
            }
            "--jobs" => {
                let jobs: Option<usize> = parser.value().and_then(|jobs| jobs.parse()).ok();
                let jobs = jobs.filter(|jobs| (1..=64).contains(jobs));
                asked.jobs =
                    Some(jobs.ok_or_else(|| Usage("--jobs needs 1 to 64: --jobs 4".into()))?);
            }
            "--svg" => {
                let file = parser.value();
                asked.svg = Some(
                    file.map_err(|_| Usage("--svg needs a file: --svg talk.svg".into()))?
                        .into(),
                );
            }
            "--out" => {
                let file = parser.value();
                asked.out = Some(
                    file.map_err(|_| Usage("--out needs a file: --out talk.pcapng".into()))?
                        .into(),
                );
            }
            _ => {
                let times = parser.value().and_then(|times| times.parse());
                asked.soak = times.map_err(|_| Usage("--soak needs a number: --soak 50".into()))?;
            }
        }
    }
    let help = help.unwrap_or(&COMMANDS[0]);
    if wants_help {
        asked.names = if help.verb == Verb::Watch {
            Vec::new()
        } else {
            vec![help.name().into()]
        };
        asked.verb = Verb::Help;
        return Ok(asked);
    }
    asked.verb = help.verb;
    asked.words = words.map(|words| for_a_program(help, words)).transpose()?;
    help.takes(&asked.names)?;
    Ok(asked)
}

fn language(parser: &mut lexopt::Parser) -> Result<String, Usage> {
    let language = parser.value().and_then(ValueExt::string);
    language.map_err(|_| Usage("--lang needs a language: --lang zh".into()))
}

impl Help {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }

    /// Whether so many words are what the usage says.
    fn takes(&self, names: &[String]) -> Result<(), Usage> {
        let words: Vec<&str> = self
            .usage
            .split(' ')
            .skip(1)
            .filter(|word| {
                !word.contains("--")
                    && !matches!(*word, "N]" | "FILE]" | "DIR]" | "SLUG]" | "WORDS]")
            })
            .collect();
        if words.iter().any(|word| word.ends_with("...")) || names.len() == words.len() {
            return Ok(());
        }
        match names.get(words.len()) {
            Some(extra) => Err(Usage(format!(
                "`{extra}` is one word too many: cargo course {}",
                self.usage
            ))),
            None if words.iter().any(|word| !word.starts_with('[')) => {
                Err(Usage(format!("which one? cargo course {}", self.usage)))
            }
            None => Ok(()),
        }
    }
}

fn command(word: &str) -> Result<&'static Help> {
    let found = COMMANDS.iter().find(|help| help.name() == word);
    found.ok_or_else(|| {
        let near = nearest(word, COMMANDS.iter().map(Help::name));
        let meant = match near.first() {
            Some(near) => format!("did you mean `cargo course {near}`?"),
            None => "`cargo course help` lists them".to_owned(),
        };
        anyhow!(Usage(format!("there is no command `{word}`; {meant}")))
    })
}

fn unknown_option(option: &str, help: Option<&Help>) -> anyhow::Error {
    let told = match help {
        Some(help) => format!(
            "`{}` does not take {option}: cargo course {}",
            help.name(),
            help.usage
        ),
        None => format!("there is no option {option} before a command; see `cargo course help`"),
    };
    Usage(told).into()
}

/// The help on all commands.
pub fn overview() -> String {
    let mut text = format!("{}\n\n", bold("Learn sockets by running them."));
    for help in COMMANDS {
        let summary = help.text[0].trim();
        let _ = writeln!(
            text,
            "  {}{}{summary}",
            cyan(help.name()),
            " ".repeat(10 - help.name().len())
        );
    }
    text + "\n`cargo course help <command>` says more.\nA slug is an exercise's name. A chapter is 3, 03 or its folder.\n--lang zh, or LANG, chooses the language of what the course says.\n"
}

/// The help on one command.
///
/// # Errors
///
/// [`Usage`] when there is none of this name.
pub fn details(name: &str) -> Result<String> {
    let help = command(name)?;
    let mut text = format!("{}\n\n", bold(format_args!("cargo course {}", help.usage)));
    for line in help.text {
        let _ = writeln!(text, "{}", format!("  {}", line.trim()).trim_end());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked> {
        understand(line.split_whitespace().map(Into::into))
    }

    fn wrong(line: &str) -> String {
        let error = asked(line).unwrap_err();
        assert!(error.is::<Usage>());
        error.to_string()
    }

    #[test]
    fn no_command_is_watch() {
        assert_eq!(asked("").unwrap().verb, Verb::Watch);
        assert_eq!(asked("course").unwrap().verb, Verb::Watch);
        assert_eq!(asked("course list").unwrap().verb, Verb::List);
    }

    #[test]
    fn names_and_options_may_mix() {
        let asked = asked("verify --soak 50 value-result --pristine 03").unwrap();
        assert_eq!((asked.soak, asked.pristine), (50, true));
        assert_eq!(asked.names, ["value-result", "03"]);
    }

    #[test]
    fn a_wrong_word_is_named_with_what_to_type() {
        assert_eq!(
            wrong("grdae"),
            "there is no command `grdae`; did you mean `cargo course grade`?"
        );
        assert_eq!(
            wrong("hint a b"),
            "`b` is one word too many: cargo course hint [slug] [--all]"
        );
        assert_eq!(wrong("reset"), "which one? cargo course reset slug");
        assert_eq!(
            wrong("hint --peek"),
            "`hint` does not take --peek: cargo course hint [slug] [--all]"
        );
        assert_eq!(
            wrong("verify --soak many"),
            "--soak needs a number: --soak 50"
        );
        assert!(wrong("zzzz").ends_with("`cargo course help` lists them"));
    }

    #[test]
    fn help_is_found_three_ways() {
        let names = |line| asked(line).unwrap().names;
        assert_eq!(names("help grade"), ["grade"]);
        assert_eq!(names("grade --help"), ["grade"]);
        assert_eq!(names("-h"), [""; 0]);
        assert!(details("grade").unwrap().contains("first check that fails"));
    }

    #[test]
    fn every_command_has_a_line_of_help_that_fits() {
        for help in COMMANDS {
            assert!(help.name().len() < 10, "{}", help.name());
            assert!(
                help.text[0].trim().ends_with('.') && help.text[0].trim().len() < 68,
                "{}",
                help.text[0]
            );
        }
    }
}
