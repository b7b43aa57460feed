//! Plays the terminals of one page of the book, and demands that they show what the page says.
//!
//! `cargo course verify` builds this program and the programs of the chapters, and starts it with what it needs in the environment:
//!
//! - `REPLAY_ROOT`: the course; `REPLAY_PAGE`: the page, from there.
//! - `REPLAY_PROGRAMS`: a line `name=path` for each program that cargo has built.
//! - `REPLAY_BLESS=1`: what was shown takes the place of what the page says.
//! - `REPLAY_PATIENCE`: how many seconds a line may take, instead of 10.
//!
//! It is a binary of its own because it forks hosts and checks, which a process with threads cannot do.

mod bless;
mod play;
mod screen;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use lab::Suite;
use weave::Page;
use weave::transcript::{self, Section};

/// Where a play takes place.
pub struct Stage {
    /// The course.
    pub root: PathBuf,
    /// The page, from there, as messages name it.
    pub page: PathBuf,
    /// Where the chapters' programs are.
    pub programs: BTreeMap<String, PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(line) => {
            eprintln!("error: {line}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let set = |name: &str| {
        std::env::var(name)
            .map_err(|_| format!("{name} is not set: `cargo course verify` starts this program"))
    };
    let stage = Rc::new(Stage {
        root: set("REPLAY_ROOT")?.into(),
        page: set("REPLAY_PAGE")?.into(),
        programs: set("REPLAY_PROGRAMS")?
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, path)| (name.to_owned(), path.into()))
            .collect(),
    });
    let file = stage.root.join(&stage.page);
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let page = Page {
        path: stage
            .page
            .strip_prefix(weave::PAGES)
            .unwrap_or(&stage.page)
            .into(),
        text,
    };
    let sections = transcript::sections(&page)
        .map_err(|problems| problems.first().map_or(String::new(), ToString::to_string))?;
    let fresh = std::env::var_os("REPLAY_BLESS")
        .map(|_| bless::Fresh::new())
        .transpose()
        .map_err(|error| error.to_string())?;
    let fresh = fresh.map(Rc::new);

    let name = page.path.with_extension("").display().to_string();
    let mut suite = Suite::new(&name);
    for section in sections
        .iter()
        .filter(|section| section.is_replayed())
        .cloned()
    {
        let (time, id) = (time_of(&section), section.id.clone());
        let (stage, fresh) = (stage.clone(), fresh.clone());
        suite = suite
            .named(&id, move |cx| match &fresh {
                None => play::play(cx, &stage, &section),
                Some(fresh) => bless::record(cx, &stage, &section, fresh),
            })
            .time(time);
    }
    let code = suite.main();
    if let Some(fresh) = fresh {
        let changed = fresh
            .write_into(&file, &page.text, &sections)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        println!("{changed} blocks of {} rewritten", stage.page.display());
    }
    Ok(code)
}

/// A step has a deadline of its own. This is for all of them together.
fn time_of(section: &Section) -> Duration {
    let lines: usize = section.blocks.iter().map(|block| block.lines.len()).sum();
    screen::patience() * (lines as u32 + 3)
}
