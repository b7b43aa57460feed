//! One check, in a process of its own.
//!
//! The runner forks, the child makes its namespaces and runs the check, and what came of it returns in
//! bytes over a pipe that no subject ever has.

use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::bench::Bench;
use crate::calls;
use crate::check::Check;
use crate::child::Capture;
use crate::finding::{Finding, Kind, Pass, Verdict};
use crate::isolation::{self, Isolation, Loss, isolation};
use crate::render::Account;
use crate::scratch::{self, Scratch};
use crate::sealed::Sealed;
use crate::subject::signal_name;
use crate::suite::Case;
use crate::system::{self, Fork};
use crate::timeline::Timeline;

/// What came of a check.
pub struct Ran {
    /// How it ended.
    pub verdict: Verdict,
    /// What it did on the way.
    pub account: Account,
    /// What the check itself printed.
    pub printed: String,
    /// The time from fork to end.
    pub took: Duration,
}

/// Runs one check in a process of its own.
pub fn isolated(case: &Case, number: usize, scratch: &Scratch) -> Result<Ran, String> {
    let began = Instant::now();
    let isolation = isolation();
    let lost = |e: std::io::Error| format!("{}: {e}", case.name);
    let (outcome, outcome_end) = system::pipe().map_err(lost)?;
    let (printed, printed_end) = system::pipe().map_err(lost)?;
    let folder = scratch.folder(number);
    let time = case.time.mul_f64(time_scale());
    let loopback = matches!(isolation, Isolation::Loopback(_));
    if loopback {
        system::hide(true);
        isolation::adopt_orphans();
    }
    // SAFETY: the runner has one thread.
    let (pid, pidfd) = match unsafe { system::fork() }.map_err(lost)? {
        Fork::Child => {
            system::no_input();
            system::install(&printed_end, 1);
            system::install(&printed_end, 2);
            drop(printed_end);
            let check = || {
                let frame = run(case, time, folder.clone());
                let _ = system::write_all(&outcome_end, &frame);
            };
            let without = |loss: Loss| {
                let _ = system::write_all(&outcome_end, &told(loss));
            };
            let done = isolation::run(isolation, &folder, check, without);
            if let Err(error) = done {
                eprintln!("{error}");
            }
            system::exit_now(0)
        }
        Fork::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop((outcome_end, printed_end));

    let mut outcome = Capture::new(outcome, 64 << 20);
    let mut printed = Capture::new(printed, 64 << 10);
    // The check keeps its own deadline. This one is for a check that does not.
    let give_up = Instant::now() + time + Duration::from_secs(5);
    let mut ended = false;
    while !ended && Instant::now() < give_up {
        let mut fds = vec![PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
        let sources = [&outcome, &printed];
        fds.extend(
            sources
                .iter()
                .filter_map(|c| c.source())
                .map(|fd| PollFd::new(fd, PollFlags::POLLIN)),
        );
        let _ = poll(&mut fds, PollTimeout::from(1000_u16));
        ended = fds[0].revents().is_some_and(|r| !r.is_empty());
        outcome.pump();
        printed.pump();
    }
    system::kill(pid, libc::SIGKILL);
    system::reap(pid);
    if loopback {
        // Should somebody have killed the process whose task this was.
        isolation::kill_descendants();
    }
    outcome.pump();
    printed.pump();
    if loopback {
        scratch::remove(&folder);
    }

    let mut bytes = outcome.kept();
    let decoded = decode(&mut bytes);
    let (verdict, account) = decoded.unwrap_or_else(|| {
        let why = if ended {
            "the check ended without a verdict"
        } else {
            "the check did not end in its time"
        };
        (Err(Finding::fault(why)), Account::default())
    });
    Ok(Ran {
        verdict,
        account,
        printed: printed.text(),
        took: began.elapsed(),
    })
}

/// What is told in place of a check that a signal has taken away. Its subjects are the only ones who
/// would send one.
fn told(loss: Loss) -> Vec<u8> {
    let end = match loss {
        Loss::Killed(signal) => format!("killed by {}", signal_name(signal)),
        Loss::Stopped(signal) => format!("stopped by {}", signal_name(signal)),
    };
    let mut finding = Finding::fail(format!(
        "expected your code to leave the process alone that checks it, but that was {end}"
    ));
    finding.because = Some(
        "Who sends a signal to its parent, or to every process there is (kill with -1), hits the one that \
         watches. A process id of -1 is often an unseen error of fork."
            .into(),
    );
    let mut frame = Vec::new();
    encode(&Err(finding), &mut frame);
    (0..4).for_each(|_| Vec::<String>::new().encode(&mut frame));
    frame
}

/// In the check's process: runs it and tells its outcome in bytes.
fn run(case: &Case, time: Duration, folder: PathBuf) -> Vec<u8> {
    let check = Check::new(time, folder);
    let limits = own_limits();
    let result = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(&check)));
    let mut verdict = result.unwrap_or_else(|_| Err(Finding::fault("the check itself panicked")));
    if limits != own_limits() {
        // Nobody else would; and then it is no fault of the check that it could not go on.
        verdict = Err(Finding::fail(
            "expected your code to leave the process alone that checks it, but its limits were changed \
             (prlimit)",
        ));
    }
    let bench = &check.bench;
    let output: Vec<(String, String)> = bench
        .children()
        .iter()
        .flat_map(|child| {
            let mut child = child.borrow_mut();
            child.kill();
            child.captures.iter_mut().for_each(Capture::pump);
            // The last capture of a subject is its sealed result, which is not for people.
            let shown: Vec<String> = child.printed().map(Capture::text).collect();
            let name = child.name.clone();
            shown.into_iter().map(move |text| (name.clone(), text))
        })
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    let mut frame = Vec::new();
    encode(&verdict, &mut frame);
    let wires = match &verdict {
        Err(finding) if finding.kind == Kind::Fail => drawings(bench),
        _ => Vec::new(),
    };
    save_captures(bench, &case.name);
    Timeline::save(bench, &case.name);
    let calls: Vec<String> = match &verdict {
        Err(finding) if finding.kind == Kind::Fail => {
            let drawings = bench.watches().map(|watch| calls::drawing(&watch));
            drawings.filter(|text| !text.is_empty()).collect()
        }
        _ => Vec::new(),
    };
    calls.encode(&mut frame);
    wires.encode(&mut frame);
    bench.log.borrow().lines().encode(&mut frame);
    output.encode(&mut frame);
    bench.evidence.borrow().encode(&mut frame);
    frame
}

fn encode(verdict: &Verdict, frame: &mut Vec<u8>) {
    match verdict {
        Ok(Pass) => 0_u8.encode(frame),
        Err(finding) => {
            let kind = match finding.kind {
                Kind::Fail => 1_u8,
                Kind::NotRun => 2,
                Kind::Fault => 3,
            };
            kind.encode(frame);
            finding.what.encode(frame);
            finding.because.encode(frame);
            finding.detail.encode(frame);
        }
    }
}

/// What was on the wires, without what hosts send on their own. The end of a long record is where the
/// failure is.
fn drawings(bench: &Bench) -> Vec<String> {
    const SHOWN: usize = 40;
    let nets = bench.nets.borrow();
    let wires = nets.iter().filter_map(|net| net.wire().ok());
    let wires = wires.map(|wire| wire.without_upkeep());
    let shown = wires.filter(|wire| !wire.frames().is_empty()).map(|wire| {
        let count = wire.frames().len();
        if count <= SHOWN {
            return wire.ladder();
        }
        let first = wire.frames()[count - SHOWN].number;
        let end = wire.only(|frame| frame.number >= first);
        format!("… {} earlier frames\n{}", count - SHOWN, end.ladder())
    });
    shown.collect()
}

/// Writes what was on the wires to the folder that `LAB_CAPTURES` names, for tcpdump and Wireshark, and as a record to be read back.
fn save_captures(bench: &Bench, name: &str) {
    let Some(folder) = std::env::var_os("LAB_CAPTURES") else {
        return;
    };
    for (i, net) in bench.nets.borrow().iter().enumerate() {
        let number = if i == 0 {
            String::new()
        } else {
            format!("-{}", i + 1)
        };
        let path = PathBuf::from(&folder).join(format!("{name}{number}.pcapng"));
        let saved = std::fs::File::create(&path).and_then(|mut file| {
            let wire = net.wire()?;
            wire.pcapng(&mut file)?;
            std::fs::write(path.with_extension("wire"), wire.record())
        });
        if let Err(error) = saved {
            eprintln!("LAB_CAPTURES: {}: {error}", path.display());
        }
    }
}

/// The limits of this process.
fn own_limits() -> [Option<(u64, u64)>; 4] {
    use nix::sys::resource::{Resource, getrlimit};
    [
        Resource::RLIMIT_NOFILE,
        Resource::RLIMIT_FSIZE,
        Resource::RLIMIT_AS,
        Resource::RLIMIT_CPU,
    ]
    .map(|resource| getrlimit(resource).ok())
}

/// The other side of [`run`]'s bytes.
fn decode(bytes: &mut &[u8]) -> Option<(Verdict, Account)> {
    let kind = match u8::decode(bytes)? {
        0 => None,
        1 => Some(Kind::Fail),
        2 => Some(Kind::NotRun),
        3 => Some(Kind::Fault),
        _ => return None,
    };
    let verdict = match kind {
        None => Ok(Pass),
        Some(kind) => Err(Finding {
            kind,
            what: Sealed::decode(bytes)?,
            because: Sealed::decode(bytes)?,
            detail: Sealed::decode(bytes)?,
        }),
    };
    let account = Account {
        calls: Sealed::decode(bytes)?,
        wires: Sealed::decode(bytes)?,
        steps: Sealed::decode(bytes)?,
        output: Sealed::decode(bytes)?,
        evidence: Sealed::decode(bytes)?,
    };
    Some((verdict, account))
}

/// The factor on deadlines, for slow machines. Never below 1.
pub(crate) fn time_scale() -> f64 {
    let set = std::env::var("LAB_TIME_SCALE").ok();
    set.and_then(|v| v.parse::<f64>().ok())
        .map_or(1.0, |v| v.clamp(1.0, 1000.0))
}
