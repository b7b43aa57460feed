//! Where do checks put their files?
//!
//! In a folder of the run's. Where there are mount namespaces each check has an empty file system of its
//! own there, which ends with it, so that the folder itself always stays empty. Elsewhere each check
//! has a folder in it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::isolation::{Isolation, isolation};
use crate::system;

/// The folder of a run. It is removed in the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it, under `TMPDIR`. Process ids are no names: each pid namespace counts anew.
    ///
    /// # Errors
    ///
    /// What `mkdir(2)` reports, with the path.
    pub fn new() -> io::Result<Scratch> {
        let [a, b, c, d, ..] = system::nonce();
        let name = format!("lab-{:08x}", u32::from_ne_bytes([a, b, c, d]));
        let path = std::env::temp_dir().join(name);
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(Scratch(path)),
            Err(error) => Err(io::Error::other(format!("{}: {error}", path.display()))),
        }
    }

    /// The folder of the check with this number.
    pub fn folder(&self, number: usize) -> PathBuf {
        match isolation() {
            Isolation::Loopback(_) => self.0.join(number.to_string()),
            _ => self.0.clone(),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes a folder and all that is in it, also what its owner may not look into.
pub fn remove(folder: &Path) {
    if fs::remove_dir(folder).is_ok() || !folder.exists() {
        return;
    }
    let mut queue = vec![folder.to_owned()];
    while let Some(folder) = queue.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                queue.push(entry.path());
            }
        }
    }
    let _ = fs::remove_dir_all(folder);
}
