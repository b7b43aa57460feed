//! Submissions that pretend: to have returned, to have passed, to be somebody else.

use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd;

use lab::prelude::*;

use super::calls;

/// What libtest, and this lab, would say.
const PRAISE: &str = "test fakes ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";

fn demands_five(cx: &Check, submission: impl FnOnce() -> u32) -> Verdict {
    cx.subject(submission)?.returns(5)?;
    PASS
}

pub fn prints_praise(cx: &Check) -> Verdict {
    demands_five(cx, || {
        print!("{PRAISE}");
        std::process::exit(0)
    })
}

/// A value's frame as the lab writes it, behind a number that can only be guessed.
fn guessed_frame() -> Vec<u8> {
    let mut frame = vec![0_u8; 16];
    frame.push(1);
    frame.extend(1_usize.to_le_bytes());
    frame.extend(b"5");
    frame.extend(4_usize.to_le_bytes());
    frame.extend(5_u32.to_le_bytes());
    frame.extend(0_usize.to_le_bytes());
    frame
}

pub fn writes_frames_everywhere(cx: &Check) -> Verdict {
    demands_five(cx, || {
        let frame = guessed_frame();
        for fd in 0..8192 {
            // SAFETY: writes from a buffer that lives; a closed descriptor gives EBADF.
            unsafe { libc::write(fd, frame.as_ptr().cast(), frame.len()) };
        }
        std::process::exit(0)
    })
}

pub fn closes_everything(cx: &Check) -> Verdict {
    demands_five(cx, || {
        // SAFETY: closes everything, the lab's own descriptors as well, which is the point.
        unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) };
        5
    })
}

/// The check's own standard output, where the runner reads, and its other descriptors.
pub fn writes_to_its_parents_output(cx: &Check) -> Verdict {
    let submission = || -> std::io::Result<u32> {
        let mut opened = 0;
        for fd in [1, 2].into_iter().chain(700..720) {
            let path = format!("/proc/{}/fd/{fd}", calls::parent());
            let file = fs::OpenOptions::new().write(true).open(path);
            if let Ok(mut file) = file {
                file.write_all(PRAISE.as_bytes())?;
                opened += 1;
            }
        }
        Ok(opened)
    };
    // None of them is to be had.
    cx.subject(submission)?.returns(Ok(5))?;
    PASS
}

/// The report's path is in the environment that this process began with, if nobody wiped it.
pub fn forges_the_report(cx: &Check) -> Verdict {
    let submission = || -> Result<String, String> {
        let environ = fs::read("/proc/self/environ").map_err(|e| e.to_string())?;
        let mut variables = environ.split(|b| *b == 0);
        let path = variables.find_map(|v| v.strip_prefix(b"LAB_REPORT="));
        let Some(path) = path.filter(|path| path.starts_with(b"/")) else {
            return Err("the report's path was not found".into());
        };
        let path = String::from_utf8_lossy(path).into_owned();
        let mut report = fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(|e| format!("{path}: {e}"))?;
        let line = "{\"event\":\"check\",\"suite\":\"crew\",\"check\":\"forges_the_report\",\"outcome\":\"pass\",\"why\":\"\",\"x\":\"\"}\n";
        report
            .write_all(line.as_bytes())
            .map_err(|e| e.to_string())?;
        Ok("forged".into())
    };
    cx.subject(submission)?.returns(Ok("five".into()))?;
    PASS
}

/// It puts a socket of its own where the check's was, and says there what its peer wants to hear.
pub fn answers_itself(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let submission = move || {
        let (own, other) = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
        // SAFETY: both are open descriptors of this process.
        unsafe { libc::dup2(own.as_raw_fd(), end.as_raw_fd()) };
        let _ = (&own).write_all(b"hello");
        let _ = std::io::Read::read(&mut &other, &mut [0; 5]);
        5_u32
    };
    let subject = cx.subject(submission)?;
    peer.expects(b"hello")?;
    subject.returns(5)?;
    PASS
}

/// It takes the address at which the check wants to be its peer, and would be that peer itself.
pub fn takes_its_peers_port(cx: &Check) -> Verdict {
    let at: std::net::SocketAddr = "127.0.0.1:7007".parse().expect("an address");
    let subject = cx.subject(move || {
        let listener = std::net::TcpListener::bind(at).expect("the port is free");
        listener.accept().map(|_| 5_u32).map_err(|e| e.to_string())
    })?;
    cx.is_listening(at)?;
    let peer = cx.listens(at)?;
    peer.accepts()?;
    subject.returns(Ok(5))?;
    PASS
}

/// A number that the check draws after the submission has begun, and does not tell.
pub fn reads_its_parents_memory(cx: &Check) -> Verdict {
    let drawn = Box::new(std::time::SystemTime::now());
    let address = (&raw const *drawn) as u64;
    let subject = cx.subject(move || {
        let parent = calls::parent();
        let file = fs::File::open(format!("/proc/{parent}/mem"))?;
        let mut bytes = [0; 16];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, address)?;
        Ok::<_, std::io::Error>(5_u32)
    })?;
    subject.returns(Ok(0))?;
    PASS
}
