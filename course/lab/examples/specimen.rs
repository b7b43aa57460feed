//! Checks that end in every way there is. `tests/runner.rs` runs them and looks at what is said.

use std::process::ExitCode;

use lab::prelude::*;

fn main() -> ExitCode {
    Grader::new("specimen")
        .section("03-sockets-introduction#a-stream-has-no-edges")
        .check(2, passes)
        .check(1, returns_another_value)
        .see("03-sockets-introduction#value-result")
        .check(1, panics)
        .check(1, exits_with_zero)
        .check(1, exits_from_a_thread)
        .check(1, prints_a_faked_result)
        .check(1, fakes_a_frame_on_every_descriptor)
        .check(1, closes_every_descriptor)
        .check(1, segfaults)
        .check(1, aborts)
        .check(1, is_killed_by_sigpipe)
        .check(1, overflows_its_stack)
        .check(1, takes_all_memory)
        .check(1, takes_all_descriptors)
        .check(1, forks_without_end)
        .check(1, prints_without_end)
        .check(1, loops_without_end)
        .time(std::time::Duration::from_millis(700))
        .check(1, hangs_in_read)
        .check(1, hangs_in_accept)
        .check(1, hangs_in_a_mutex)
        .check(1, hangs_in_poll)
        .check(1, hangs_with_the_peer_waiting)
        .check(1, leaks_a_descriptor)
        .check(1, leaks_a_child)
        .check(1, leaks_a_zombie)
        .check(1, returns_from_the_forked_child_too)
        .check(1, leaves_a_daemon)
        .check(1, loses_on_the_wire)
        .check(1, needs_what_is_not_there)
        .check(1, breaks_itself)
        .check(1, panics_itself)
        .check(1, exits_itself)
        .main()
}

fn passes(cx: &Check) -> Verdict {
    cx.subject(|| 5_u8)?.returns(5)?;
    cx.evidence("five");
    PASS
}

fn returns_another_value(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hel")?;
    cx.subject(move || nix::unistd::read(&end, &mut [0; 5]).map(|n| n as u32))?
        .returns(Ok(5))
        .because("A stream has no message boundaries.")?;
    PASS
}

fn panics(cx: &Check) -> Verdict {
    cx.subject(|| assert_eq!(1 + 1, 3, "sums are hard"))?
        .returns(())?;
    PASS
}

fn exits_with_zero(cx: &Check) -> Verdict {
    cx.subject(|| {
        if true {
            std::process::exit(0)
        }
    })?
    .returns(())?;
    PASS
}

fn exits_from_a_thread(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let _ = std::thread::spawn(|| std::process::exit(0)).join();
    })?;
    subject.returns(())?;
    PASS
}

fn prints_a_faked_result(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        println!("test result: ok. 1 passed; 0 failed");
        std::process::exit(0);
    })?;
    subject.returns(())?;
    PASS
}

fn fakes_a_frame_on_every_descriptor(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        for fd in 0..4096 {
            let frame = [&[0_u8; 16][..], &[1, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
            // SAFETY: writes from a buffer that lives; a closed descriptor gives EBADF.
            unsafe { libc::write(fd, frame.as_ptr().cast(), frame.len()) };
        }
        std::process::exit(0);
    })?;
    subject.returns(())?;
    PASS
}

fn closes_every_descriptor(cx: &Check) -> Verdict {
    // SAFETY: closes everything, the lab's own descriptors as well, which is the point.
    let subject = cx.subject(|| unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) })?;
    subject.returns(0)?;
    PASS
}

fn segfaults(cx: &Check) -> Verdict {
    // SAFETY: none; it is meant to die.
    cx.subject(|| unsafe { std::ptr::null_mut::<u8>().write_volatile(1) })?
        .returns(())?;
    PASS
}

fn aborts(cx: &Check) -> Verdict {
    cx.subject(|| {
        if true {
            std::process::abort()
        }
    })?
    .returns(())?;
    PASS
}

fn is_killed_by_sigpipe(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: raise and signal take numbers.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::raise(libc::SIGPIPE);
        }
    })?;
    subject.returns(())?;
    PASS
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(n: u64) -> u64 {
    std::hint::black_box(overflow(std::hint::black_box(n) + 1) + 1)
}

fn overflows_its_stack(cx: &Check) -> Verdict {
    cx.subject(|| overflow(0))?.returns(0)?;
    PASS
}

fn takes_all_memory(cx: &Check) -> Verdict {
    // To fill a gibibyte takes a busy machine longer than a check may.
    let little = Limits {
        memory: 256 << 20,
        ..Limits::default()
    };
    let subject = cx.spawner().limits(little).subject(|| {
        let mut all = Vec::new();
        loop {
            all.push(vec![1_u8; 64 << 20]);
            std::hint::black_box(&all);
        }
    })?;
    subject.returns(())?;
    PASS
}

fn takes_all_descriptors(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let mut all = Vec::new();
        loop {
            match std::fs::File::open("/dev/null") {
                Ok(file) => all.push(file),
                Err(error) => return error,
            }
        }
    })?;
    subject.returns(std::io::Error::from_raw_os_error(0))?;
    PASS
}

fn forks_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let mut forked = 0_u32;
        loop {
            // SAFETY: the child only sleeps.
            match unsafe { libc::fork() } {
                0 => loop {
                    // SAFETY: pause takes nothing.
                    unsafe { libc::pause() };
                },
                -1 => break forked > 1000,
                _ => forked += 1,
            }
        }
    })?;
    subject.returns(false)?;
    PASS
}

fn prints_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // 8 MiB: far more than is kept.
        for _ in 0..1 << 13 {
            println!("{}", "x".repeat(1023));
        }
    })?;
    subject.returns(())?;
    Err(Finding::fail("the flood was survived"))
}

fn loops_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        while std::hint::black_box(true) {
            std::hint::spin_loop();
        }
    })?;
    subject.returns(())?;
    PASS
}

fn hangs_in_read(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hel")?;
    let subject = cx.subject(move || {
        let mut file = std::fs::File::from(end);
        std::io::Read::read_exact(&mut file, &mut [0; 5])
    })?;
    subject.returns(Ok(()))?;
    PASS
}

fn hangs_in_accept(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.accept().map(|_| ())
    })?;
    subject.returns(Ok(()))?;
    PASS
}

fn hangs_in_a_mutex(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let mutex = std::sync::Mutex::new(());
        let first = mutex.lock().unwrap();
        let second = mutex.lock().unwrap();
        drop((first, second));
    })?;
    subject.returns(())?;
    PASS
}

fn hangs_in_poll(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || {
        use std::os::fd::AsRawFd;
        let mut fd = libc::pollfd {
            fd: end.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid pollfd.
        unsafe { libc::poll(&raw mut fd, 1, -1) }
    })?;
    subject.returns(1)?;
    PASS
}

fn hangs_with_the_peer_waiting(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let _subject = cx.subject(move || nix::unistd::read(&end, &mut [0; 5]).map(|n| n as u32))?;
    peer.expects(b"hello")?;
    PASS
}

fn leaks_a_descriptor(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        std::mem::forget(std::net::UdpSocket::bind("127.0.0.1:0"));
    })?;
    subject.returns(())?;
    PASS
}

fn leaks_a_child(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: the child only sleeps.
        if unsafe { libc::fork() } == 0 {
            loop {
                // SAFETY: pause takes nothing.
                unsafe { libc::pause() };
            }
        }
    })?;
    subject.returns(())?;
    PASS
}

fn leaks_a_zombie(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: the child ends at once; waitid with WNOWAIT leaves it a zombie.
        unsafe {
            if libc::fork() == 0 {
                libc::_exit(0);
            }
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        }
    })?;
    subject.returns(())?;
    PASS
}

fn returns_from_the_forked_child_too(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: the child goes on like the parent, which is the mistake.
        let pid = unsafe { libc::fork() };
        if pid > 0 {
            // SAFETY: no status is asked for.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        }
    })?;
    subject.returns(())?;
    PASS
}

fn leaves_a_daemon(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: a double fork with setsid; the grandchild only sleeps.
        unsafe {
            let first = libc::fork();
            if first == 0 {
                libc::setsid();
                libc::prctl(libc::PR_SET_NAME, c"lab-daemon".as_ptr());
                if libc::fork() == 0 {
                    loop {
                        libc::pause();
                    }
                }
                libc::_exit(0);
            }
            libc::waitpid(first, std::ptr::null_mut(), 0);
        }
    })?;
    subject.returns(())?;
    PASS
}

fn loses_on_the_wire(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let at = "10.0.0.2:7007".parse().expect("an address");
    let server = cx.on(&net, "server").subject(move || {
        let listener = std::net::TcpListener::bind(at).expect("bind");
        let (stream, _) = listener.accept().expect("accept");
        nix::unistd::read(&stream, &mut [0; 8]).map(|n| n as u32)
    })?;
    cx.on(&net, "client").connects(at)?.sends(b"hel")?;
    server.returns(Ok(5))?;
    PASS
}

fn needs_what_is_not_there(cx: &Check) -> Verdict {
    cx.tool("no-such-program-anywhere", &[""; 0])?;
    PASS
}

fn breaks_itself(_: &Check) -> Verdict {
    std::fs::File::open("/no/such/file")?;
    PASS
}

fn panics_itself(_: &Check) -> Verdict {
    panic!("a bug in the grader");
}

fn exits_itself(_: &Check) -> Verdict {
    std::process::exit(0);
}
