//! How many processes may a subject have?
//!
//! Each `fork` and `clone` of a subject asks first: a seccomp filter holds the call until the process
//! above the check, which counts, lets it go on or answers `EAGAIN`; see seccomp_unotify(2), Linux 5.5.
//! Where there are no namespaces the same filter refuses what they would keep inside: objects of IPC that outlive their makers,
//! and a signal to every process of the user.
//!
//! When the check is over nobody answers any more: every further fork fails, so that what is killed
//! cannot be born again. `RLIMIT_NPROC` would do neither: it does not bind root, and counts what else
//! the user runs.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

use crate::isolation::{Isolation, isolation};
use crate::limits::PROCESSES;
use crate::system;

/// Where subjects say that they are there: the other end of [`Registry::door`], in the check and what
/// it forks. Negative where nobody counts.
static DOOR: AtomicI32 = AtomicI32::new(-1);

/// Counts the processes below this one.
pub struct Registry {
    door: OwnedFd,
    /// One for each subject: its calls arrive here.
    asking: Vec<OwnedFd>,
    /// How many may be born before the next count.
    room: usize,
    /// When a count last left none.
    full: Option<Instant>,
}

/// When there is no room, one is told so, and the others wait for so long: a bomb sleeps instead of
/// asking again and again.
const PAUSE: Duration = Duration::from_millis(20);

impl Registry {
    /// Opens the door, before the check is forked.
    pub fn open() -> io::Result<Registry> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (door, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        let theirs = system::own(theirs)?;
        // It stays open as long as this process and the check.
        DOOR.store(theirs.as_raw_fd(), Ordering::Relaxed);
        std::mem::forget(theirs);
        Ok(Registry {
            door: system::own(door)?,
            asking: Vec::new(),
            room: 0,
            full: None,
        })
    }

    /// Answers what is asked until `other` becomes readable, for at most `time`.
    pub fn answer(&mut self, other: impl AsFd, time: Duration) {
        let pause = self.full.map(|then| PAUSE.saturating_sub(then.elapsed()));
        let pause = pause.filter(|pause| !pause.is_zero());
        let time = time.min(pause.unwrap_or(time)).as_millis();
        let time = PollTimeout::from(u16::try_from(time).unwrap_or(u16::MAX).saturating_add(1));
        let all = [other.as_fd(), self.door.as_fd()];
        let asking = self.asking.iter().filter(|_| pause.is_none());
        let all = all.into_iter().chain(asking.map(AsFd::as_fd));
        let mut fds: Vec<_> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let _ = poll(&mut fds, time);
        let ready: Vec<PollFlags> = fds.iter().filter_map(PollFd::revents).collect();
        drop(fds);
        let Some((door, asking)) = ready.get(1..).and_then(<[_]>::split_first) else {
            return;
        };
        let mut gone = Vec::new();
        for (index, events) in asking.iter().enumerate() {
            if events.contains(PollFlags::POLLIN) {
                self.decide(index);
            } else if !events.is_empty() {
                gone.push(index);
            }
        }
        for index in gone.into_iter().rev() {
            self.asking.remove(index);
        }
        if door.contains(PollFlags::POLLIN) {
            self.asking.extend(receive(&self.door));
        }
    }

    /// Takes one call and lets it go on or fail.
    fn decide(&mut self, index: usize) {
        let fd = self.asking[index].as_raw_fd();
        // SAFETY: both are plain data, valid as zeros.
        let (mut asked, mut answer): (libc::seccomp_notif, libc::seccomp_notif_resp) =
            unsafe { std::mem::zeroed() };
        // SAFETY: the request reads and writes a seccomp_notif.
        if unsafe { libc::ioctl(fd, RECEIVE, &raw mut asked) } < 0 {
            // Who asked was killed while it waited.
            return;
        }
        if self.room == 0 {
            self.room = (PROCESSES as usize).saturating_sub(threads_below(std::process::id()));
            self.full = (self.room == 0).then(Instant::now);
        }
        answer.id = asked.id;
        if self.room > 0 {
            self.room -= 1;
            answer.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        } else {
            answer.error = -libc::EAGAIN;
        }
        // SAFETY: the request reads a seccomp_notif_resp.
        unsafe { libc::ioctl(fd, SEND, &raw const answer) };
    }
}

/// The direction, size, type and number of an ioctl(2).
const fn request(number: usize, size: usize) -> libc::Ioctl {
    (3 << 30 | size << 16 | (b'!' as usize) << 8 | number) as libc::Ioctl
}
const RECEIVE: libc::Ioctl = request(0, size_of::<libc::seccomp_notif>());
const SEND: libc::Ioctl = request(1, size_of::<libc::seccomp_notif_resp>());

/// A descriptor that came through the door.
fn receive(door: &OwnedFd) -> Option<OwnedFd> {
    let mut space = nix::cmsg_space!(i32);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(door.as_raw_fd(), &mut [], Some(&mut space), flags).ok()?;
    let mut found = None;
    for part in message.cmsgs().ok()? {
        if let ControlMessageOwned::ScmRights(fds) = part {
            for fd in fds {
                // SAFETY: the kernel has just given it to us.
                found = system::own(unsafe { OwnedFd::from_raw_fd(fd) }).ok();
            }
        }
    }
    found
}

/// The processes below this one.
pub fn below(root: u32) -> Vec<i32> {
    walk(root).into_iter().map(|(pid, _)| pid).collect()
}

/// The threads of all processes below this one.
fn threads_below(root: u32) -> usize {
    walk(root).into_iter().map(|(_, threads)| threads).sum()
}

/// The processes below this one, with the number of their threads.
fn walk(root: u32) -> Vec<(i32, usize)> {
    let mut found = Vec::new();
    let mut queue = vec![root as i32];
    while let Some(pid) = queue.pop() {
        let mut threads = 0;
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            threads += 1;
            // A child belongs to the thread that forked it.
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            queue.extend(
                children
                    .split_whitespace()
                    .filter_map(|p| p.parse::<i32>().ok()),
            );
        }
        if pid != root as i32 {
            found.push((pid, threads));
        }
    }
    found
}

/// In a subject, before its code: from now on it asks. Without a registry nothing changes.
pub fn ask_from_now_on() {
    let door = DOOR.load(Ordering::Relaxed);
    if door < 0 {
        return;
    }
    let filter = filter();
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the program points to `len` lines, which the kernel copies.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    if fd < 0 {
        return;
    }
    // SAFETY: the kernel has just given it to us. When it cannot be handed over, nobody answers, and
    // the subject cannot fork.
    let listener = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let fds = [listener.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&fds)];
    let byte = [io::IoSlice::new(b"!")];
    let _ = sendmsg::<()>(door, &byte, &rights, MsgFlags::MSG_NOSIGNAL, None);
}

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// The calls that make a process or a thread.
#[cfg(target_arch = "x86_64")]
const BIRTHS: [libc::c_long; 4] = [
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_fork,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const BIRTHS: [libc::c_long; 2] = [libc::SYS_clone, libc::SYS_clone3];

/// The calls that make what outlives all processes, and that nobody could tell from the user's own.
const LASTING: [libc::c_long; 4] = [
    libc::SYS_shmget,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
];

/// Asks at each birth, and refuses what would reach beyond the check. The calls of another architecture, which have other numbers, are refused.
fn filter() -> Vec<libc::sock_filter> {
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equals = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let line = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut lines = vec![
        // `struct seccomp_data`: the architecture at 4, the number at 0.
        line(load, 0, 0, 4),
        line(equals, 1, 0, ARCH),
        line(answer, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        line(load, 0, 0, 0),
    ];
    for number in BIRTHS {
        lines.push(line(equals, 0, 1, number as u32));
        lines.push(line(answer, 0, 0, libc::SECCOMP_RET_USER_NOTIF));
    }
    let outward = matches!(isolation(), Isolation::Loopback(_));
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    for number in LASTING.into_iter().filter(|_| outward) {
        lines.push(line(equals, 0, 1, number as u32));
        lines.push(line(answer, 0, 0, refused));
    }
    // kill(-1, …) means all processes of the user. The first argument stands at 16, the low half first.
    if outward {
        lines.push(line(equals, 0, 3, libc::SYS_kill as u32));
        lines.push(line(load, 0, 0, 16));
        lines.push(line(equals, 0, 1, u32::MAX));
        lines.push(line(answer, 0, 0, refused));
    }
    lines.push(line(answer, 0, 0, libc::SECCOMP_RET_ALLOW));
    lines
}
