//! Which checks does a test binary have?

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::args::{Args, HELP};
use crate::check::Check;
use crate::finding::Verdict;
use crate::paint::Paint;
use crate::report::Report;
use crate::runner::Run;
use crate::system;

/// The time of a check unless it asks for another. A backstop: hangs are recognized earlier.
const TIME: Duration = Duration::from_secs(10);

/// One check: a function and what is known about it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn(&Check) -> Verdict>,
    pub(crate) points: u32,
    pub(crate) see: Option<String>,
    pub(crate) time: Duration,
}

/// A list of checks. Chapters' tests and claims use it directly; exercises use a [`Grader`].
pub struct Suite {
    pub(crate) name: String,
    pub(crate) section: Option<String>,
    cases: Vec<Case>,
    pub(crate) graded: bool,
}

/// The checks of an exercise, with points.
pub struct Grader(Suite);

impl Suite {
    /// An empty list.
    pub fn new(name: &str) -> Suite {
        Suite {
            name: name.into(),
            section: None,
            cases: Vec::new(),
            graded: false,
        }
    }

    /// Where the book tells what is tested, unless a check says otherwise.
    #[must_use]
    pub fn section(mut self, section: &str) -> Suite {
        self.section = Some(section.into());
        self
    }

    /// Adds a check. Its name is the function's.
    #[must_use]
    pub fn check<F: Fn(&Check) -> Verdict + 'static>(self, run: F) -> Suite {
        self.add(0, run)
    }

    /// Adds a check under a name that is only known when the program runs.
    #[must_use]
    pub fn named(mut self, name: &str, run: impl Fn(&Check) -> Verdict + 'static) -> Suite {
        self = self.add(0, run);
        if let Some(case) = self.cases.last_mut() {
            case.name = name.into();
        }
        self
    }

    /// Gives the last check another time than 10 seconds.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Suite {
        if let Some(case) = self.cases.last_mut() {
            case.time = time;
        }
        self
    }

    /// Runs what the command line asks for.
    pub fn main(self) -> ExitCode {
        system::raise_descriptor_limit();
        // A backtrace costs a third of a second in a debug build, and shows the lab, not the learner.
        // SAFETY: the runner has one thread.
        unsafe { std::env::set_var("RUST_BACKTRACE", "0") };
        match self.run() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(101),
            Err(line) => {
                eprintln!("error: {line}");
                ExitCode::from(2)
            }
        }
    }

    fn add<F: Fn(&Check) -> Verdict + 'static>(mut self, points: u32, run: F) -> Suite {
        let path = std::any::type_name::<F>();
        let name = path.rsplit("::").next().unwrap_or(path).to_string();
        self.cases.push(Case {
            name,
            run: Box::new(run),
            points,
            see: None,
            time: TIME,
        });
        self
    }

    fn run(self) -> Result<bool, String> {
        let args = Args::parse(std::env::args().skip(1))?;
        if args.help {
            println!("{HELP}");
            return Ok(true);
        }
        let selected: Vec<&Case> = self
            .cases
            .iter()
            .filter(|c| args.selects(&c.name))
            .collect();
        if args.list {
            let mut out = std::io::stdout().lock();
            for case in &selected {
                let _ = writeln!(out, "{}: test", case.name);
            }
            if !args.quiet {
                let _ = writeln!(out, "\n{} tests, 0 benchmarks", selected.len());
            }
            return Ok(true);
        }
        Run {
            suite: &self,
            filtered: self.cases.len() - selected.len(),
            paint: Paint::new(args.color),
            report: Report::open()?,
            args,
        }
        .all(&selected)
    }
}

impl Grader {
    /// The checks of the exercise with this slug.
    pub fn new(slug: &str) -> Grader {
        let mut suite = Suite::new(slug);
        suite.graded = true;
        Grader(suite)
    }

    /// Where the book teaches this, unless a check says otherwise: `chapter#heading`.
    #[must_use]
    pub fn section(self, section: &str) -> Grader {
        Grader(self.0.section(section))
    }

    /// Adds a check that is worth so many points. Its name is the function's.
    #[must_use]
    pub fn check<F: Fn(&Check) -> Verdict + 'static>(self, points: u32, run: F) -> Grader {
        Grader(self.0.add(points, run))
    }

    /// Where the book teaches what the last check demands.
    #[must_use]
    pub fn see(mut self, section: &str) -> Grader {
        if let Some(case) = self.0.cases.last_mut() {
            case.see = Some(section.into());
        }
        self
    }

    /// Gives the last check another time than 10 seconds.
    #[must_use]
    pub fn time(self, time: Duration) -> Grader {
        Grader(self.0.time(time))
    }

    /// Runs what the command line asks for.
    pub fn main(self) -> ExitCode {
        self.0.main()
    }
}
