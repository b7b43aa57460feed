//! Do the terminals of a section show what the page says?
//!
//! The blocks are played in the order of the page. A step waits for a line, never for a time.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::rc::Rc;

use lab::net::Net;
use lab::prelude::*;
use weave::transcript::{Block, Command, Kind, Line, Names, Pattern, Section};

use crate::Stage;
use crate::screen::{Next, Screen, Start, patience};

/// Who may ping without privileges; see icmp(7).
const PING: &str = "net.ipv4.ping_group_range";

/// A section being played.
pub struct Player<'c> {
    pub cx: &'c Check,
    stage: &'c Stage,
    net: Option<Rc<Net>>,
    folder: PathBuf,
    /// What names stand for so far.
    pub names: Names,
    /// The program at each terminal, and the host of the terminal.
    screens: BTreeMap<String, Screen>,
    hosts: BTreeMap<String, String>,
    /// How the last command at each terminal ended.
    statuses: BTreeMap<String, i32>,
    /// What has been shown so far.
    shown: Vec<String>,
}

/// Plays a section, and demands that all is as the page says.
pub fn play(cx: &Check, stage: &Stage, section: &Section) -> Verdict {
    let mut player = Player::new(cx, stage, section)?;
    let blocks: Vec<&Block> = section
        .blocks
        .iter()
        .filter(|block| block.unverified.is_none())
        .collect();
    for (at, block) in blocks.iter().enumerate() {
        for line in &block.lines {
            match &line.kind {
                Kind::Anything => player.screen(block).skips = true,
                Kind::Output(pattern) => player.expects(block, line, pattern)?,
                _ => player.acts(block, line)?,
            }
            player.screen(block).line = line.number;
        }
        let mut later = blocks[at + 1..].iter();
        if !later.any(|later| later.terminal == block.terminal) {
            player.leaves(block)?;
        }
    }
    PASS
}

impl<'c> Player<'c> {
    /// Sets the stage: hosts, and a folder that looks like the course.
    pub fn new(cx: &'c Check, stage: &'c Stage, section: &Section) -> Result<Player<'c>, Finding> {
        // A program may be woken by what the lab cannot see. Each step has a deadline.
        cx.allows_long_waits();
        let replayed = || {
            section
                .blocks
                .iter()
                .filter(|block| block.unverified.is_none())
        };
        for tool in replayed()
            .flat_map(Block::commands)
            .flat_map(|(_, command)| command.tools())
        {
            if !is_installed(&tool) {
                return Err(Finding::needs(format!("the program {tool}")));
            }
        }
        let hosts = section.hosts();
        let net = if hosts.is_empty() {
            None
        } else {
            Some(cx.lan(&hosts)?)
        };
        if let Some(net) = &net {
            // Distributions let every group ping; a network that was just made lets nobody.
            for host in net.hosts() {
                let everybody = host.sysctl(PING, "0 2147483647");
                let own = nix::unistd::getgid();
                // An ordinary user's network knows that user's group only.
                let _ = everybody.or_else(|_| host.sysctl(PING, &format!("{own} {own}")));
            }
        }
        let folder = cx.folder()?.to_owned();
        for entry in fs::read_dir(&stage.root)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                symlink(entry.path(), folder.join(entry.file_name()))?;
            }
        }
        let mut at = BTreeMap::new();
        for block in replayed() {
            if let Some(host) = &block.host {
                at.insert(block.terminal.clone(), host.clone());
            }
        }
        Ok(Player {
            cx,
            stage,
            net,
            folder,
            names: Names::new(),
            screens: BTreeMap::new(),
            hosts: at,
            statuses: BTreeMap::new(),
            shown: Vec::new(),
        })
    }

    /// The program at the terminal of a block. A page whose block begins without one is not played.
    pub fn screen(&mut self, block: &Block) -> &mut Screen {
        self.screens
            .get_mut(&block.terminal)
            .expect("the first line of a terminal is a command")
    }

    /// Does what a reader does: a command, or keys.
    pub fn acts(&mut self, block: &Block, line: &Line) -> Result<(), Finding> {
        self.show(block, &line.text);
        match &line.kind {
            Kind::Command(command) => return self.starts(block, line, command),
            Kind::Typed(typed) => {
                let typed = self.filled(typed);
                if let Err(refused) = self.screen(block).types(&typed) {
                    return Err(self.stop(line.number, refused.what()));
                }
            }
            Kind::EndOfInput => self.screen(block).ends_input(),
            Kind::Interrupt => self.screen(block).interrupt(),
            Kind::Anything | Kind::Output(_) => {}
        }
        Ok(())
    }

    fn starts(&mut self, block: &Block, line: &Line, command: &Command) -> Result<(), Finding> {
        if let Some(screen) = self.screens.remove(&block.terminal) {
            let status = self.has_ended(screen)?;
            self.statuses.insert(block.terminal.clone(), status);
        }
        let place = |name: &str| {
            let path = self.stage.programs.get(name);
            Ok(path.map_or_else(
                || format!("{name} was not built"),
                |path| path.display().to_string(),
            ))
        };
        let mut script = command
            .script(&self.names, place)
            .map_err(|unfit| self.stop(line.number, &unfit.to_string()))?;
        if let (true, Some(status)) = (script.contains("$?"), self.statuses.get(&block.terminal)) {
            script = format!("(exit {status})\n{script}");
        }
        let host = self.hosts.get(&block.terminal);
        let start = Start {
            script: &script,
            privileged: command.is_privileged(),
            folder: &self.folder,
            host: self.net.clone().zip(host.cloned()),
        };
        let screen = Screen::start(self.cx, start, command.text(), line.number)?;
        self.screens.insert(block.terminal.clone(), screen);
        Ok(())
    }

    /// Demands a line.
    fn expects(&mut self, block: &Block, line: &Line, wanted: &Pattern) -> Result<(), Finding> {
        let expected = format!(
            "expected {:?}{}",
            line.text.trim_end(),
            self.meaning(wanted)
        );
        loop {
            let cx = self.cx;
            let screen = self.screen(block);
            let skips = screen.skips;
            let next = screen.next(cx, patience())?;
            let command = screen.command.clone();
            match next {
                Next::Line(got) if wanted.matches(&got, &mut self.names) => {
                    self.show(block, &got);
                    self.screen(block).skips = false;
                    return Ok(());
                }
                Next::Line(got) if skips => self.show(block, &got),
                Next::Line(got) => {
                    let what = format!("{expected}, got {got:?}");
                    self.show(block, &got);
                    return Err(self.stop(line.number, &what));
                }
                Next::Ended => {
                    let what = format!("{expected}, but `{command}` ended without it");
                    return Err(self.stop(line.number, &what));
                }
                Next::Nothing => {
                    let what = format!(
                        "{expected}, but `{command}` printed nothing more for {} s",
                        patience().as_secs()
                    );
                    return Err(self.stop(line.number, &what));
                }
            }
        }
    }

    /// What the names in a pattern stand for: ` where [PORT] is 8000`.
    fn meaning(&self, pattern: &Pattern) -> String {
        let known: Vec<String> = pattern
            .names()
            .filter_map(|name| Some(format!("[{name}] is {}", self.names.get(name)?)))
            .collect();
        if known.is_empty() {
            String::new()
        } else {
            format!(" where {}", known.join(" and "))
        }
    }

    /// Demands that a program has ended, and printed no more than is shown. Gives its status.
    fn has_ended(&mut self, screen: Screen) -> Result<i32, Finding> {
        match screen.end(self.cx, patience())? {
            Some(status) => self.said_all(screen).map(|()| status),
            None => Err(self.stop(
                screen.line,
                &format!(
                    "`{}` still runs when the next command is given at its terminal",
                    screen.command
                ),
            )),
        }
    }

    fn said_all(&mut self, mut screen: Screen) -> Result<(), Finding> {
        while let Next::Line(more) = screen.next(self.cx, patience())? {
            if !screen.skips {
                let what = format!("`{}` prints more than is shown: {more:?}", screen.command);
                return Err(self.stop(screen.line, &what));
            }
        }
        Ok(())
    }

    /// The page shows no more of this terminal. If its program has ended by now, it must have said no more than is shown. One
    /// that goes on may say what it likes, and is ended with the section.
    fn leaves(&mut self, block: &Block) -> Result<(), Finding> {
        match self.screens.remove(&block.terminal) {
            Some(screen) if screen.settles(self.cx)?.is_some() => self.said_all(screen),
            Some(screen) => {
                self.screens.insert(block.terminal.clone(), screen);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn filled(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.names {
            filled = filled.replace(&format!("[{name}]"), value);
        }
        filled
    }

    /// Notes what stands on a terminal now.
    fn show(&mut self, block: &Block, text: &str) {
        let terminal = &block.terminal;
        let name = if terminal.is_empty() {
            String::new()
        } else {
            format!("{terminal:>8} | ")
        };
        self.shown.push(format!("{name}{text}"));
    }

    /// It is not as the page says: where, how, and what was shown so far.
    pub fn stop(&self, line: usize, what: &str) -> Finding {
        for line in &self.shown {
            self.cx.evidence(line.clone());
        }
        Finding::fail(format!("{}:{line}: {what}", self.stage.page.display()))
    }
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(tool))
        .any(|file| file.is_file())
}
