//! Submissions that take all there is of something.

use std::fs;
use std::io::Write as _;

use lab::prelude::*;

use super::calls;

pub fn forks_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        loop {
            match calls::fork() {
                0 => calls::sleep_on(),
                -1 => break Err::<u32, _>(Errno::last()),
                _ => {}
            }
        }
    })?;
    subject.returns(Ok(5))?;
    PASS
}

/// Every process forks, and so on.
pub fn fork_bomb(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> u32 {
        loop {
            calls::fork();
        }
    })?;
    subject.returns(5)?;
    PASS
}

pub fn threads_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        loop {
            let small = std::thread::Builder::new().stack_size(16 << 10);
            if let Err(error) = small.spawn(|| calls::sleep_on()) {
                break Err::<u32, _>(error);
            }
        }
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn takes_all_memory(cx: &Check) -> Verdict {
    // To fill a gibibyte takes a busy machine longer than a check may.
    let little = Limits {
        memory: 256 << 20,
        ..Limits::default()
    };
    let subject = cx.spawner().limits(little).subject(|| {
        let mut all = Vec::new();
        loop {
            all.push(vec![1_u8; 16 << 20]);
            std::hint::black_box(&all);
        }
    })?;
    subject.returns(())?;
    PASS
}

pub fn takes_all_descriptors(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let mut all = Vec::new();
        loop {
            match fs::File::open("/dev/null") {
                Ok(file) => all.push(file),
                Err(error) => break Err::<u32, _>(error),
            }
        }
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn prints_without_end(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> u32 {
        loop {
            println!("{}", "x".repeat(1023));
        }
    })?;
    subject.returns(5)?;
    PASS
}

/// One file as big as may be, then another, up to half a gibibyte.
pub fn fills_the_disk(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    let subject = cx.subject(move || {
        let block = vec![0_u8; 1 << 20];
        for number in 0..64 {
            let mut file = fs::File::create(folder.join(number.to_string()))?;
            for _ in 0..8 {
                file.write_all(&block)?;
            }
        }
        Ok::<_, std::io::Error>(512_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn writes_a_huge_file(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    let subject = cx.subject(move || {
        let block = vec![0_u8; 1 << 20];
        let mut file = fs::File::create(folder.join("huge"))?;
        for _ in 0..64 {
            file.write_all(&block)?;
        }
        Ok::<_, std::io::Error>(64_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

/// Returns what is right, and leaves children that turn in a circle.
pub fn leaves_busy_children(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        for _ in 0..4 {
            calls::fork_to(|| {
                while std::hint::black_box(true) {
                    std::hint::spin_loop();
                }
            });
        }
        5_u32
    })?;
    subject.returns(5)?;
    PASS
}
