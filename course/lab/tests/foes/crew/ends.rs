//! Submissions that end, or do not end, in a way other than by returning.

use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex};

use lab::prelude::*;

use super::calls;

/// Demands what any right answer returns.
fn demands_five(cx: &Check, submission: impl FnOnce() -> u32) -> Verdict {
    cx.subject(submission)?.returns(5)?;
    PASS
}

pub fn loops_without_calls(cx: &Check) -> Verdict {
    demands_five(cx, || {
        while black_box(true) {
            std::hint::spin_loop();
        }
        5
    })
}

pub fn loops_with_calls(cx: &Check) -> Verdict {
    demands_five(cx, || {
        while black_box(true) {
            calls::parent();
        }
        5
    })
}

pub fn sleeps_for_ever(cx: &Check) -> Verdict {
    demands_five(cx, || {
        std::thread::sleep(std::time::Duration::from_secs(1 << 40));
        5
    })
}

pub fn deadlocks(cx: &Check) -> Verdict {
    demands_five(cx, || {
        let locks = Arc::new((Mutex::new(()), Mutex::new(()), Barrier::new(2)));
        let theirs = locks.clone();
        let thread = std::thread::spawn(move || {
            let _second = theirs.1.lock();
            theirs.2.wait();
            let _first = theirs.0.lock();
        });
        let _first = locks.0.lock();
        locks.2.wait();
        let _second = locks.1.lock();
        let _ = thread.join();
        5
    })
}

pub fn stops_itself(cx: &Check) -> Verdict {
    demands_five(cx, || {
        // SAFETY: it takes a number.
        unsafe { libc::raise(libc::SIGSTOP) };
        5
    })
}

pub fn exits_at_once(cx: &Check) -> Verdict {
    demands_five(cx, || std::process::exit(0))
}

pub fn exits_without_handlers(cx: &Check) -> Verdict {
    demands_five(cx, || calls::exit_now(0))
}

pub fn exits_in_an_exit_handler(cx: &Check) -> Verdict {
    extern "C" fn handler() {
        calls::exit_now(0);
    }
    demands_five(cx, || {
        // SAFETY: the handler is a function of this program and calls only _exit.
        unsafe { libc::atexit(handler) };
        std::process::exit(7)
    })
}

pub fn exits_from_a_thread(cx: &Check) -> Verdict {
    demands_five(cx, || {
        let _ = std::thread::spawn(|| std::process::exit(0)).join();
        5
    })
}

pub fn exits_in_a_signal_handler(cx: &Check) -> Verdict {
    extern "C" fn handler(_: libc::c_int) {
        calls::exit_now(0);
    }
    demands_five(cx, || {
        // SAFETY: the handler calls only _exit, which is async-signal-safe.
        unsafe {
            libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t);
            libc::raise(libc::SIGUSR1);
        }
        0
    })
}

pub fn becomes_another_program(cx: &Check) -> Verdict {
    demands_five(cx, || {
        let path = c"/bin/true";
        // SAFETY: the lists end with null and their strings live.
        unsafe { libc::execv(path.as_ptr(), [path.as_ptr(), std::ptr::null()].as_ptr()) };
        0
    })
}

pub fn aborts(cx: &Check) -> Verdict {
    demands_five(cx, || std::process::abort())
}

pub fn panics_with_abort(cx: &Check) -> Verdict {
    // Cargo builds tests with `panic = "unwind"` whatever the profile says. This is what the other way does.
    demands_five(cx, || {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            hook(info);
            std::process::abort();
        }));
        panic!("sums are hard")
    })
}

/// Panics when it is dropped.
struct Mine;
impl Drop for Mine {
    fn drop(&mut self) {
        panic!("a mine was dropped");
    }
}

pub fn panics_in_drop(cx: &Check) -> Verdict {
    demands_five(cx, || {
        drop(black_box(Mine));
        5
    })
}

pub fn panics_twice(cx: &Check) -> Verdict {
    demands_five(cx, || {
        let _mine = Mine;
        panic!("sums are hard")
    })
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(n: u64) -> u64 {
    black_box(overflow(black_box(n) + 1) + 1)
}

pub fn overflows_its_stack(cx: &Check) -> Verdict {
    demands_five(cx, || overflow(0) as u32)
}

pub fn segfaults(cx: &Check) -> Verdict {
    demands_five(cx, || {
        // SAFETY: none; it is meant to die.
        unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
        5
    })
}

pub fn kills_itself(cx: &Check) -> Verdict {
    demands_five(cx, || {
        // SAFETY: it takes a number.
        unsafe { libc::raise(libc::SIGKILL) };
        5
    })
}
