//! Where does a grader's report go? Into memory that only this program and the grader have, and that can only grow.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};

use anyhow::{Context, Result};

/// More than any report has, in bytes.
const LIMIT: u64 = 4 << 20;

/// The memory.
pub struct Place(File);

impl Place {
    /// New, empty.
    ///
    /// # Errors
    ///
    /// What `memfd_create(2)` reports.
    pub fn new() -> Result<Place> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: memfd_create(2) reads the name, a C string, and returns a new descriptor or -1.
        let fd = unsafe { libc::memfd_create(c"report".as_ptr(), flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error())
                .context("memfd_create: no place for the grader's report");
        }
        // SAFETY: the descriptor is new, open, and nobody else's. F_ADD_SEALS takes a number.
        let file = unsafe {
            libc::fcntl(fd, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK);
            // The grader opens it again by its path, as another user.
            libc::fchmod(fd, 0o666);
            File::from_raw_fd(fd)
        };
        debug_assert!(file.as_raw_fd() >= 0);
        Ok(Place(file))
    }

    /// For the grader.
    pub fn file(&self) -> &File {
        &self.0
    }

    /// What is in it, as far as it can be a report.
    pub fn read(&self) -> String {
        let mut text = Vec::new();
        let mut file = &self.0;
        // Reading memory does not fail.
        let _ = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.take(LIMIT).read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }
}
