//! What does a check cost beyond the code that it runs?
//!
//! ```console
//! $ cargo bench -p lab --bench check_cost
//! ```
//!
//! Times differ between machines; the ratios to a bare `fork` and `waitpid` travel.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use lab::prelude::*;

const CHECKS: usize = 200;

fn main() -> ExitCode {
    // cargo passes --bench; the runner would not mind, but only the inner run is one.
    let Ok(which) = std::env::var("CHECK_COST") else {
        return measure();
    };
    let mut suite = Suite::new("check_cost");
    for _ in 0..CHECKS {
        suite = match which.as_str() {
            "nothing" => suite.check(nothing),
            "subject" => suite.check(subject),
            _ => suite.check(two_hosts),
        };
    }
    suite.main()
}

fn nothing(_: &Check) -> Verdict {
    PASS
}

fn subject(cx: &Check) -> Verdict {
    cx.subject(|| ())?.returns(())?;
    PASS
}

fn two_hosts(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    cx.on(&net, "client").subject(|| ())?.returns(())?;
    PASS
}

fn measure() -> ExitCode {
    let fork = median((0..CHECKS).map(|_| bare_fork()).collect());
    println!("\n{:<44} {:>8}  {:>10}", "", "median", "bare forks");
    let row = |what: &str, time: Duration| {
        let ratio = time.as_secs_f64() / fork.as_secs_f64();
        println!(
            "{what:<44} {:>5.2} ms  {ratio:>10.0}",
            time.as_secs_f64() * 1e3
        );
    };
    row("fork, _exit, waitpid", fork);
    for (which, what) in [
        ("nothing", "a check that does nothing"),
        ("subject", "a check with a subject"),
        ("hosts", "a check with two hosts and a subject"),
    ] {
        match checks(which) {
            Ok(times) => row(what, median(times)),
            Err(why) => {
                println!("{what:<44} {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn bare_fork() -> Duration {
    let began = Instant::now();
    // SAFETY: this process has one thread, and the child ends at once.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::_exit(0);
        }
        libc::waitpid(pid, std::ptr::null_mut(), 0);
    }
    began.elapsed()
}

/// Runs this binary once more, as a suite, and reads what each check took from its report.
fn checks(which: &str) -> Result<Vec<Duration>, String> {
    let report = std::env::temp_dir().join(format!("check-cost-{}", std::process::id()));
    let run = Command::new(std::env::current_exe().expect("a program knows its path"))
        .env("CHECK_COST", which)
        .env("LAB_REPORT", &report)
        .output()
        .map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(&report).unwrap_or_default();
    let _ = std::fs::remove_file(&report);
    let checks = text.lines().filter(|l| l.contains(r#""event":"check""#));
    let mut times = Vec::new();
    for line in checks {
        if !line.contains(r#""outcome":"pass""#) {
            return Err(format!("not run: {line}"));
        }
        let micros = line
            .split(r#""micros":"#)
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        times.extend(
            micros
                .and_then(|m| m.parse().ok())
                .map(Duration::from_micros),
        );
    }
    if times.is_empty() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned());
    }
    Ok(times)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
