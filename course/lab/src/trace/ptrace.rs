//! What can be asked of ptrace(2), and how a stopped call is changed.
//!
//! Since Linux 6.16 a call's number, arguments and result can be set in the same way on every
//! architecture. Before that, and for the program counter, registers have to be written.

use std::io;

use nix::errno::Errno;

use crate::trace::registers;

/// `PTRACE_GET_SYSCALL_INFO`, Linux 5.3.
const GET_SYSCALL_INFO: u32 = 0x420e;
/// `PTRACE_SET_SYSCALL_INFO`, Linux 6.16.
const SET_SYSCALL_INFO: u32 = 0x4212;

/// `struct ptrace_syscall_info`. What `u` holds depends on `op`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Info {
    op: u8,
    reserved: u8,
    flags: u16,
    arch: u32,
    /// The program counter behind the instruction of the call.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
    u: [u64; 8],
}

const OP_EXIT: u8 = 2;

impl Info {
    /// Whether the call is over.
    pub fn is_exit(&self) -> bool {
        self.op == OP_EXIT
    }

    /// The number of a call that begins.
    pub fn number(&self) -> i64 {
        self.u[0] as i64
    }

    /// The arguments of a call that begins.
    pub fn arguments(&self) -> [u64; 6] {
        let mut arguments = [0; 6];
        arguments.copy_from_slice(&self.u[1..7]);
        arguments
    }

    /// The result of a call that is over; negative is an errno.
    pub fn result(&self) -> i64 {
        self.u[0] as i64
    }
}

/// How changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// By `PTRACE_SET_SYSCALL_INFO`, as long as the kernel has it.
    Info,
    /// By writing registers.
    Registers,
}

/// A thread that stands still.
#[derive(Debug, Clone, Copy)]
pub struct Stopped(pub i32);

/// One request, with what the kernel says to it.
fn request(what: u32, tid: i32, address: usize, data: usize) -> io::Result<i64> {
    // SAFETY: each caller passes what the request asks for; a wrong thread gives ESRCH.
    let r = unsafe { libc::ptrace(what, tid, address, data) };
    Ok(Errno::result(r)?)
}

impl Stopped {
    /// Begins to trace a running thread, which is not stopped by it.
    pub fn seize(tid: i32) -> io::Result<()> {
        let options = libc::PTRACE_O_EXITKILL
            | libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACESECCOMP
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACEEXEC;
        request(libc::PTRACE_SEIZE, tid, 0, options as usize)?;
        Ok(())
    }

    /// Goes on to the next planned call, with a signal or 0.
    pub fn go_on(self, signal: i32) {
        // A thread that was killed meanwhile is gone: ESRCH.
        let _ = request(libc::PTRACE_CONT, self.0, 0, signal as usize);
    }

    /// Goes on to the end of the call that it is in.
    pub fn go_to_end_of_call(self, signal: i32) {
        let _ = request(libc::PTRACE_SYSCALL, self.0, 0, signal as usize);
    }

    /// Stays stopped as job control wants it, until `SIGCONT`.
    pub fn stays(self) {
        let _ = request(libc::PTRACE_LISTEN, self.0, 0, 0);
    }

    /// The message of the event that it stopped for: a new thread's id, a thread's id before `execve`.
    pub fn message(self) -> Option<i32> {
        let mut message: libc::c_ulong = 0;
        let at = &raw mut message as usize;
        request(libc::PTRACE_GETEVENTMSG, self.0, 0, at).ok()?;
        Some(message as i32)
    }

    /// What call it is in.
    pub fn info(self) -> io::Result<Info> {
        let mut info = Info {
            op: 0,
            reserved: 0,
            flags: 0,
            arch: 0,
            ip: 0,
            sp: 0,
            u: [0; 8],
        };
        let at = &raw mut info as usize;
        request(GET_SYSCALL_INFO, self.0, size_of::<Info>(), at)?;
        Ok(info)
    }

    fn set(self, mut info: Info) -> io::Result<()> {
        let at = &raw mut info as usize;
        request(SET_SYSCALL_INFO, self.0, size_of::<Info>(), at)?;
        Ok(())
    }

    /// Makes the call that begins none at all. Its result has to be set at its end.
    pub fn skip(self, engine: &mut Engine, info: &Info) -> io::Result<()> {
        let mut changed = *info;
        changed.u[0] = u64::MAX;
        match self.by_info(engine, changed) {
            Some(result) => result,
            None => registers::skip(self.0),
        }
    }

    /// Changes an argument of the call that begins.
    pub fn set_argument(
        self,
        engine: &mut Engine,
        info: &Info,
        index: usize,
        value: u64,
    ) -> io::Result<()> {
        let mut changed = *info;
        changed.u[1 + index] = value;
        match self.by_info(engine, changed) {
            Some(result) => result,
            None => registers::set_argument(self.0, index, value),
        }
    }

    /// Changes the result of the call that is over.
    pub fn set_result(self, engine: &mut Engine, info: &Info, value: i64) -> io::Result<()> {
        let mut changed = *info;
        changed.u[0] = value as u64;
        changed.u[1] = u64::from((-4095..0).contains(&value));
        match self.by_info(engine, changed) {
            Some(result) => result,
            None => registers::set_result(self.0, value),
        }
    }

    /// The call that is over, and was skipped, is made once more from its beginning.
    pub fn rewind(self, number: i64, arguments: &[u64; 6]) -> io::Result<()> {
        registers::rewind(self.0, number, arguments)
    }

    /// In a handler's last call: the program counter that it goes back to.
    pub fn goes_back_to(self, info: &Info) -> Option<u64> {
        self.word(registers::saved_ip(info.sp))
    }

    /// Nothing when registers have to be written.
    fn by_info(self, engine: &mut Engine, changed: Info) -> Option<io::Result<()>> {
        if *engine == Engine::Registers {
            return None;
        }
        match self.set(changed) {
            // The kernel does not know the request.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => {
                *engine = Engine::Registers;
                None
            }
            result => Some(result),
        }
    }

    /// Writes a machine word of its memory, whatever the page's protection.
    pub fn poke(self, address: u64, word: u64) -> io::Result<()> {
        request(
            libc::PTRACE_POKEDATA,
            self.0,
            address as usize,
            word as usize,
        )?;
        Ok(())
    }

    /// Copies its memory. Less than asked for at the end of a mapping; nothing for a bad address.
    pub fn peek(self, address: u64, into: &mut [u8]) -> usize {
        if address == 0 || into.is_empty() {
            return 0;
        }
        let local = libc::iovec {
            iov_base: into.as_mut_ptr().cast(),
            iov_len: into.len(),
        };
        let remote = libc::iovec {
            iov_base: address as *mut libc::c_void,
            iov_len: into.len(),
        };
        // SAFETY: the local part is the slice; a bad remote address gives EFAULT.
        let n =
            unsafe { libc::process_vm_readv(self.0, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(n).unwrap_or(0)
    }

    /// A machine word of its memory.
    pub fn word(self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        (self.peek(address, &mut bytes) == 8).then(|| u64::from_ne_bytes(bytes))
    }

    /// An `int` of its memory.
    pub fn int(self, address: u64) -> Option<i32> {
        let mut bytes = [0; 4];
        (self.peek(address, &mut bytes) == 4).then(|| i32::from_ne_bytes(bytes))
    }
}
