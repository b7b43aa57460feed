//! A copy of the fixture, the program run in it, and a terminal to run it in.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing here takes so long, even on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The right answer to `order`.
pub const RIGHT: &str = "pub fn wire(port: u16) -> [u8; 2] {\n    port.to_be_bytes()\n}\n";
/// An answer that fails both checks.
pub const WRONG: &str = "pub fn wire(port: u16) -> [u8; 2] {\n    [1, port as u8]\n}\n";
/// An answer that does not compile.
pub const BROKEN: &str = "pub fn wire(port: u16) -> [u8; 2] {\n    port\n}\n";
/// The right answer to `total`.
pub const SUM: &str =
    "pub fn total(first: usize, second: usize) -> usize {\n    first + second\n}\n";

/// A course of one's own.
pub struct Course(TempDir);

/// What a run of the program came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Course {
    pub fn new() -> Course {
        let dir = tempfile::tempdir().unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture"),
            dir.path(),
        );
        Course(dir)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Replaces what stands in a file.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, &text.replace(from, to));
    }

    /// Answers the exercise `order`.
    pub fn answer(&self, text: &str) {
        self.write("exercises/03-sockets/order/src/lib.rs", text);
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-course"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.0.path());
        // What the cargo that runs these tests says of its own package must not lead to the course around us.
        for name in [
            "CARGO_MANIFEST_DIR",
            "CARGO_TERM_COLOR",
            "RUSTFLAGS",
            "LAB_REPORT",
            "LAB_TIME_SCALE",
        ] {
            command.env_remove(name);
        }
        command
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which must succeed, and gives what it wrote.
    #[track_caller]
    pub fn ok(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments}:\n{}{}", ran.out, ran.err);
        ran.out
    }
}

/// Copies a course, without what was built or kept in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let name = entry.file_name();
        if [".git", ".course", "target"]
            .iter()
            .any(|left_out| name == *left_out)
        {
            continue;
        }
        // `metadata` follows links.
        if fs::metadata(entry.path()).unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The program in a terminal of 80 by 24.
pub struct Terminal {
    child: Child,
    keyboard: fs::File,
    /// Held open, so that its settings can be looked at when the program is gone.
    tty: OwnedFd,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    seen: usize,
}

#[derive(Default)]
struct Screen {
    text: String,
    over: bool,
}

impl Terminal {
    pub fn start(mut command: Command) -> Terminal {
        let (master, tty) = open_pty();
        let copy = || Stdio::from(tty.try_clone().unwrap());
        command
            .stdin(copy())
            .stdout(copy())
            .stderr(copy())
            .env("TERM", "xterm");
        // SAFETY: setsid(2) and ioctl(2) are async-signal-safe. The terminal becomes the controlling one, for Ctrl-C.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        let screen = Arc::new((Mutex::new(Screen::default()), Condvar::new()));
        let mut output = fs::File::from(master.try_clone().unwrap());
        let drawn = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                drawn.0.lock().unwrap().text += &String::from_utf8_lossy(&bytes[..n]);
                drawn.1.notify_all();
            }
            drawn.0.lock().unwrap().over = true;
            drawn.1.notify_all();
        });
        Terminal {
            child,
            keyboard: master.into(),
            tty,
            screen,
            seen: 0,
        }
    }

    /// Waits until `text` is written, after what was waited for last. Gives what was written up to there.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().unwrap();
        loop {
            if let Some(at) = screen.text[self.seen..].find(text) {
                let before = screen.text[self.seen..self.seen + at + text.len()].to_owned();
                self.seen += at + text.len();
                return before;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.over {
                // Let go of the lock, or the reader panics as well.
                let shown = screen.text.clone();
                drop(screen);
                panic!("waited for {text:?}; the screen:\n{shown}");
            }
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Everything that was written so far.
    pub fn all(&self) -> String {
        self.screen.0.lock().unwrap().text.clone()
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the program's end.
    pub fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; the screen:\n{}",
                self.all()
            );
            thread::yield_now();
        }
    }

    /// Whether lines are edited and echoed, as a shell leaves it.
    pub fn is_as_before(&self) -> bool {
        // SAFETY: termios is integers, for which zero is a value; tcgetattr writes one.
        let flags = unsafe {
            let mut now: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(self.tty.as_raw_fd(), &raw mut now), 0);
            now.c_lflag
        };
        flags & (libc::ICANON | libc::ECHO) == libc::ICANON | libc::ECHO
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_pty() -> (OwnedFd, OwnedFd) {
    let (mut master, mut tty) = (0, 0);
    let mut size = libc::winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let none = std::ptr::null_mut();
    // SAFETY: the two descriptors and the size are valid places; no name and no settings are asked for.
    let opened = unsafe {
        libc::openpty(
            &raw mut master,
            &raw mut tty,
            none,
            none.cast(),
            &raw mut size,
        )
    };
    assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: both descriptors are new, open, and nobody else's.
    unsafe {
        // The program must not hold the master, or it would never see the terminal go.
        libc::fcntl(master, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(tty, libc::F_SETFD, libc::FD_CLOEXEC);
        (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(tty))
    }
}

/// Where an answer that hangs says who it is. Opening a FIFO waits for the other side, so nobody has to poll.
pub struct Hanger(PathBuf);

impl Hanger {
    pub fn new(course: &Course) -> Hanger {
        let path = course.path("hanger");
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the name is a C string.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        Hanger(path)
    }

    /// An answer to `order` that never comes back.
    pub fn answer(&self) -> String {
        format!(
            "pub fn wire(_: u16) -> [u8; 2] {{\n    std::fs::write({:?}, std::process::id().to_string()).unwrap();\n    \
             loop {{\n        std::thread::park();\n    }}\n}}\n",
            self.0
        )
    }

    /// Waits until it hangs.
    pub fn pid(&self) -> i32 {
        fs::read_to_string(&self.0).unwrap().parse().unwrap()
    }
}

/// Waits until there is no such process, or only what its parent has not noticed yet.
#[track_caller]
pub fn is_gone(pid: i32) {
    let deadline = Instant::now() + PATIENCE;
    while let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        if stat.contains(") Z ") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "process {pid} is still there: {stat}"
        );
        thread::yield_now();
    }
}
