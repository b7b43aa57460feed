//! What may a child do beyond what any user may? See capabilities(7).

use std::io;

/// The kernel's structures for capabilities(7), which libc does not have.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilityData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// `_LINUX_CAPABILITY_VERSION_3`: 64 bits in two structures.
const VERSION_3: u32 = 0x2008_0522;

/// Drops all capabilities, so that `EACCES` on port 80 is what an ordinary user sees.
pub fn drop_all() -> io::Result<()> {
    let header = CapabilityHeader {
        version: VERSION_3,
        pid: 0,
    };
    let none = [CapabilityData::default(); 2];
    // SAFETY: header and data have the layout that version 3 asks for.
    let r = unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) };
    nix::errno::Errno::result(r)?;
    // A set-user-id program could bring them back, and root's exec would.
    // SAFETY: prctl with plain numbers.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECUREBITS, SECBIT_NOROOT);
    }
    Ok(())
}

/// `SECBIT_NOROOT` and its lock; see capabilities(7).
const SECBIT_NOROOT: libc::c_ulong = 0b11;

/// An ordinary user's capabilities in a user namespace end at `exec` unless they are ambient.
pub fn keep_over_exec() {
    let header = CapabilityHeader {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [CapabilityData::default(); 2];
    // SAFETY: header and data have the layout that version 3 asks for.
    unsafe {
        if libc::syscall(libc::SYS_capget, &raw const header, data.as_mut_ptr()) < 0 {
            return;
        }
        data.iter_mut().for_each(|d| d.inheritable = d.permitted);
        libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr());
    }
    for capability in 0..64_u64 {
        // SAFETY: prctl with plain numbers; it refuses what the process does not have.
        unsafe {
            libc::prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong,
                capability,
                0,
                0,
            )
        };
    }
}
