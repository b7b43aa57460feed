//! Answers that want too much: of the compiler, of the clock, of the machine.

use std::fs;

use crate::room::Room;
use crate::support::RIGHT;

#[test]
fn a_compiler_that_does_not_end_is_ended() {
    let room = Room::new();
    let forever = "#![allow(long_running_const_eval)]\npub const N: u64 = { let mut n = 0_u64; while n != u64::MAX { n += 1; } n };\n\
                   pub fn wire(port: u16) -> [u8; 2] { (port ^ N as u16).to_be_bytes() }\n";
    let deep = "macro_rules! deep { ($($x:tt)*) => { deep! { x $($x)* } } }\ndeep! {}\n";
    let many = "so it is ".repeat(9);
    let flood = format!("compile_error!(\"{many}\");\n").repeat(3000);
    room.hands_in("forever", "src/lib.rs", forever)
        .hands_in("deep", "src/lib.rs", deep)
        .hands_in("flood", "src/lib.rs", &flood)
        .hands_in("right", "src/lib.rs", RIGHT);
    if room
        .grade_with("", &[("CLASS_COMPILE_SECONDS", "5")])
        .is_none()
    {
        return;
    }
    room.is("forever", "stopped", 0, "after 5 s of processor time");
    room.is("deep", "does-not-compile", 0, "recursion limit");
    room.is("flood", "does-not-compile", 0, "error: so it is");
    let output = room.result("flood")["output"].as_str().unwrap().len();
    assert!(output < 70_000, "{output} bytes");
    room.is("right", "passed", 3, "");
}

#[test]
fn a_grader_that_is_led_astray_passes_nobody() {
    let room = Room::new();
    let answer = |does: &str| {
        format!("pub fn wire(port: u16) -> [u8; 2] {{ {does}; port.to_be_bytes() }}\n")
    };
    room.hands_in("leaves", "src/lib.rs", &answer("std::process::exit(0)"))
        .hands_in("aborts", "src/lib.rs", &answer("std::process::abort()"))
        .hands_in(
            "spins",
            "src/lib.rs",
            &answer("loop { std::hint::spin_loop() }"),
        )
        .hands_in(
            "sleeps",
            "src/lib.rs",
            &answer("loop { std::thread::park() }"),
        )
        .hands_in("right", "src/lib.rs", RIGHT);
    if room.grade_with("", &[("CLASS_RUN_SECONDS", "5")]).is_none() {
        return;
    }
    room.is(
        "leaves",
        "failed",
        0,
        "did not come to its end: it ended with exit status 0",
    );
    room.is("aborts", "failed", 0, "it was killed by SIGABRT");
    room.is("spins", "failed", 0, "did not come to its end: it ");
    room.is("sleeps", "failed", 0, "it took too long and was ended");
    room.is("right", "passed", 3, "");
}

#[test]
fn nothing_outlives_its_grader_and_nothing_is_reached() {
    let room = Room::new();
    let mark = format!("{}.25", 70_000_000 + std::process::id());
    let target = room.course.path("runner.rs");
    // It leaves a process behind in a session of its own, looks for the network, and writes wherever it can.
    let answer = format!(
        "pub fn wire(port: u16) -> [u8; 2] {{\n\
             std::process::Command::new(\"setsid\").args([\"sleep\", {mark:?}]).spawn().unwrap();\n\
             assert!(std::net::TcpStream::connect(\"192.0.2.1:9\").is_err());\n\
             assert_eq!(std::fs::read_dir(\"/sys/class/net\").map(|net| net.count()).unwrap_or(0), 0);\n\
             for file in [{target:?}, \"/usr/bin/pwned\", \"/pwned\", concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/pwned\")] {{\n\
                 assert!(std::fs::write(file, \"x\").is_err(), \"{{file}}\");\n\
             }}\n\
             assert!(std::fs::write(\"/proc/sys/kernel/core_pattern\", \"|/tmp/pwned\").is_err());\n\
             let seen = std::fs::read_dir(\"/proc\").unwrap().flatten();\n\
             let seen = seen.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());\n\
             assert!(seen.count() < 12);\n\
             port.to_be_bytes()\n}}\n"
    );
    room.hands_in("guest", "src/lib.rs", &answer);
    if room.grade("").is_none() {
        return;
    }
    room.is("guest", "passed", 3, "");
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|word| word == mark.as_bytes())
    });
    assert_eq!(left.count(), 0);
}
