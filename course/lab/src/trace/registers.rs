//! Where does this architecture keep a system call's number, arguments and result?

use std::io;

use nix::errno::Errno;

#[cfg(target_arch = "x86_64")]
mod arch {
    use std::mem::offset_of;

    use super::{Errno, io};

    type Registers = libc::user_regs_struct;

    fn change(tid: i32, change: impl FnOnce(&mut Registers)) -> io::Result<()> {
        // SAFETY: the structure is plain data, valid as zeros.
        let mut registers: Registers = unsafe { std::mem::zeroed() };
        let at = &raw mut registers;
        // SAFETY: the request fills in a user_regs_struct.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_GETREGS, tid, 0, at) })?;
        change(&mut registers);
        // SAFETY: the request reads one.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_SETREGS, tid, 0, &raw mut registers) })?;
        Ok(())
    }

    /// Number -1 is no call.
    pub fn skip(tid: i32) -> io::Result<()> {
        change(tid, |r| r.orig_rax = u64::MAX)
    }

    pub fn set_argument(tid: i32, index: usize, value: u64) -> io::Result<()> {
        change(tid, |r| {
            let arguments = [
                &mut r.rdi, &mut r.rsi, &mut r.rdx, &mut r.r10, &mut r.r8, &mut r.r9,
            ];
            if let Some(argument) = arguments.into_iter().nth(index) {
                *argument = value;
            }
        })
    }

    pub fn set_result(tid: i32, value: i64) -> io::Result<()> {
        change(tid, |r| r.rax = value as u64)
    }

    /// Back to the `syscall` instruction, which has two bytes.
    pub fn rewind(tid: i32, number: i64, _: &[u64; 6]) -> io::Result<()> {
        change(tid, |r| {
            r.rip -= 2;
            r.rax = number as u64;
            r.orig_rax = u64::MAX;
        })
    }

    /// What a handler goes back to: the frame begins at the stack pointer when it calls `rt_sigreturn`.
    pub fn saved_ip(sp: u64) -> u64 {
        let registers =
            offset_of!(libc::ucontext_t, uc_mcontext) + offset_of!(libc::mcontext_t, gregs);
        sp + (registers + libc::REG_RIP as usize * 8) as u64
    }
}

#[cfg(target_arch = "aarch64")]
mod arch {
    use std::mem::offset_of;

    use super::{Errno, io};

    const NT_PRSTATUS: usize = 1;
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    /// x0 to x30, sp, pc, pstate.
    type Registers = [u64; 34];
    const X8: usize = 8;
    const PC: usize = 32;

    fn set<T>(tid: i32, which: usize, what: &mut T) -> io::Result<()> {
        let mut part = libc::iovec {
            iov_base: (what as *mut T).cast(),
            iov_len: size_of::<T>(),
        };
        let at = &raw mut part;
        // SAFETY: the request reads a part of the size that the register set has.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_SETREGSET, tid, which, at) })?;
        Ok(())
    }

    fn change(tid: i32, change: impl FnOnce(&mut Registers)) -> io::Result<()> {
        let mut registers: Registers = [0; 34];
        let mut part = libc::iovec {
            iov_base: registers.as_mut_ptr().cast(),
            iov_len: size_of::<Registers>(),
        };
        let at = &raw mut part;
        // SAFETY: the request fills in a part of the size that the register set has.
        Errno::result(unsafe { libc::ptrace(libc::PTRACE_GETREGSET, tid, NT_PRSTATUS, at) })?;
        change(&mut registers);
        set(tid, NT_PRSTATUS, &mut registers)
    }

    /// The number is a register set of its own; -1 is no call.
    pub fn skip(tid: i32) -> io::Result<()> {
        set(tid, NT_ARM_SYSTEM_CALL, &mut -1_i32)
    }

    pub fn set_argument(tid: i32, index: usize, value: u64) -> io::Result<()> {
        change(tid, |r| r[index] = value)
    }

    pub fn set_result(tid: i32, value: i64) -> io::Result<()> {
        change(tid, |r| r[0] = value as u64)
    }

    /// Back to the `svc` instruction, which has four bytes. The result stands where the first argument
    /// was.
    pub fn rewind(tid: i32, number: i64, arguments: &[u64; 6]) -> io::Result<()> {
        change(tid, |r| {
            r[PC] -= 4;
            r[0] = arguments[0];
            r[X8] = number as u64;
        })
    }

    /// What a handler goes back to: a `siginfo_t` of 128 bytes and the context begin at the stack
    /// pointer when it calls `rt_sigreturn`.
    pub fn saved_ip(sp: u64) -> u64 {
        let registers =
            offset_of!(libc::ucontext_t, uc_mcontext) + offset_of!(libc::mcontext_t, pc);
        sp + (128 + registers) as u64
    }
}

pub use arch::{rewind, saved_ip, set_argument, set_result, skip};
