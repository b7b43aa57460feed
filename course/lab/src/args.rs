//! What does a test binary understand on its command line?
//!
//! What libtest does: cargo, nextest and editors ask the same questions of every test binary.

/// A run, as asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// Only names that contain one of these, or are one of them with `--exact`. Empty: all.
    pub filters: Vec<String>,
    /// Not names that contain one of these.
    pub skip: Vec<String>,
    /// Filters are whole names.
    pub exact: bool,
    /// Print the names and stop.
    pub list: bool,
    /// Only ignored tests are wanted, and there are none: a check that cannot run says so itself.
    pub ignored: bool,
    /// One character a test, or nothing but failures.
    pub quiet: bool,
    /// Show the output of tests that pass.
    pub nocapture: bool,
    /// `--color always` or `never`; `None` for auto.
    pub color: Option<bool>,
    /// `--help` was asked for.
    pub help: bool,
}

impl Args {
    /// Reads the arguments after the program's name. A word that is not understood is an error, in a
    /// line, as it is for libtest.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Args, String> {
        let mut args = Args::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, mut value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_string())),
                _ => (word.as_str(), None),
            };
            let mut value = || {
                let next = value.take().or_else(|| words.next());
                next.ok_or_else(|| format!("{name} needs a value"))
            };
            match name {
                "--list" => args.list = true,
                "--exact" => args.exact = true,
                "--ignored" => args.ignored = true,
                "--quiet" | "-q" => args.quiet = true,
                "--nocapture" | "--no-capture" | "--show-output" => args.nocapture = true,
                "--help" | "-h" => args.help = true,
                "--skip" => args.skip.push(value()?),
                "--color" => {
                    args.color = match value()?.as_str() {
                        "always" => Some(true),
                        "never" => Some(false),
                        "auto" => None,
                        other => {
                            return Err(format!("--color is always, never or auto, not {other}"));
                        }
                    }
                }
                "--format" => match value()?.as_str() {
                    "pretty" => {}
                    "terse" => args.quiet = true,
                    other => return Err(format!("--format is pretty or terse, not {other}")),
                },
                // What these ask for does not exist here; they change nothing.
                "--test-threads" | "-Z" | "--logfile" | "--shuffle-seed" => drop(value()?),
                "--include-ignored"
                | "--report-time"
                | "--shuffle"
                | "--test"
                | "--bench"
                | "--force-run-in-process"
                | "--exclude-should-panic"
                | "--ensure-time" => {}
                _ if name.starts_with('-') => {
                    return Err(format!("{name} is not understood; --help lists what is"));
                }
                _ => args.filters.push(word),
            }
        }
        Ok(args)
    }

    /// Whether a test of this name is to run.
    pub fn selects(&self, name: &str) -> bool {
        let hit = |filter: &String| {
            if self.exact {
                name == filter
            } else {
                name.contains(filter.as_str())
            }
        };
        !self.ignored
            && (self.filters.is_empty() || self.filters.iter().any(hit))
            && !self.skip.iter().any(hit)
    }
}

/// What `--help` prints.
pub const HELP: &str = "\
Usage: [FILTER...] [--exact] [--skip FILTER] [--list] [--format pretty|terse] [-q]
       [--nocapture] [--color auto|always|never]

Runs the checks whose names contain a FILTER; all without one.

Variables:
  LAB_REPORT=FILE      append a JSON object a line: what was run and what came of it
  LAB_CAPTURES=FOLDER  save what was on the wires as CHECK.pcapng
  LAB_REQUIRE=all      a check that cannot run here counts as failed
  LAB_TIME_SCALE=N     multiply every deadline by N
  LAB_ISOLATION=loopback   behave as on a machine without namespaces
  LAB_COLOR=always|never   as --color";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn filters_select_by_part_or_by_whole_name() {
        let part = parse("echo").unwrap();
        assert!(part.selects("tcp_echo_server") && !part.selects("chat"));
        let whole = parse("echo --exact").unwrap();
        assert!(whole.selects("echo") && !whole.selects("tcp_echo_server"));
        let skip = parse("--skip echo").unwrap();
        assert!(!skip.selects("tcp_echo_server") && skip.selects("chat"));
        assert!(!parse("--ignored").unwrap().selects("chat"));
    }

    #[test]
    fn what_nextest_and_editors_ask_is_understood() {
        assert!(parse("--list --format terse").unwrap().list);
        assert!(
            parse("--exact a --nocapture --test-threads=1")
                .unwrap()
                .exact
        );
        assert_eq!(parse("--color=always").unwrap().color, Some(true));
    }

    #[test]
    fn other_words_are_refused_by_name() {
        assert!(parse("--frobnicate").unwrap_err().contains("--frobnicate"));
        assert!(parse("--format json").unwrap_err().contains("json"));
        assert!(parse("--skip").unwrap_err().contains("needs a value"));
    }
}
