//! What does the reader press? Single keys from the terminal, which is given back as it was on every way out.

use std::io::{self, IsTerminal, Read};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How the terminal was before, for the signal handler.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();
/// Whether it is different now.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// While this lives, keys arrive one by one and unechoed. Ctrl-C still is a signal, and output is as always.
pub struct Keys(());

impl Keys {
    /// Takes the keys, if both standard input and output are a terminal.
    pub fn take() -> Option<Keys> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        // SAFETY: termios is integers, for which zero is a value; tcgetattr writes one and keeps no pointer.
        let before = unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            (libc::tcgetattr(libc::STDIN_FILENO, &raw mut before) == 0).then_some(before)
        }?;
        let mut now = before;
        now.c_lflag &= !(libc::ICANON | libc::ECHO);
        now.c_cc[libc::VMIN] = 1;
        now.c_cc[libc::VTIME] = 0;
        let _ = BEFORE.set(before);
        CHANGED.store(true, Ordering::SeqCst);
        // SAFETY: `now` is a valid termios.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, &raw const now) };
        Some(Keys(()))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back as it was. Does nothing when nothing was changed. Safe in a signal handler.
pub fn restore() {
    if CHANGED.swap(false, Ordering::SeqCst)
        && let Some(before) = BEFORE.get()
    {
        // SAFETY: tcsetattr(3) is async-signal-safe (signal-safety(7)), and `before` lives as long as the program.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, before) };
    }
}

/// Gives the terminal back before a panic's message is written, whatever thread it is in.
pub fn restore_on_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        usual(panic);
    }));
}

/// Calls `pressed` with each key, until the input ends or `pressed` says that nobody listens any more.
pub fn listen(mut pressed: impl FnMut(u8) -> bool) {
    let mut key = [0];
    while io::stdin().read_exact(&mut key).is_ok() && pressed(key[0]) {}
}

/// Begins a new page at the top of the screen. What was there is scrolled out, not lost.
pub fn new_page() {
    if let Some((_, rows)) = size() {
        crate::paint::say(format_args!("\x1b[{rows};1H{}\x1b[H", "\n".repeat(rows)));
    }
}

/// The terminal's columns and rows, when standard output is one.
pub fn size() -> Option<(usize, usize)> {
    // SAFETY: winsize is four integers, for which zero is a value; TIOCGWINSZ writes one winsize and keeps no pointer.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size)
    }?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}
