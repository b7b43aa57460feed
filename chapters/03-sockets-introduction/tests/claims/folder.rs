//! How does an experiment give a path that is as short, or as long, as it wants?
//!
//! It goes into the folder that the lab keeps for it and names the file alone. Each check has a process of its own, so
//! nobody else is moved.

use std::path::Path;
use std::{env, fs, io};

/// Makes `folder` the current directory.
pub fn enter(folder: &Path) -> io::Result<&Path> {
    env::set_current_dir(folder)?;
    Ok(folder)
}

/// The names of the files in a folder, sorted, with a space between them.
pub fn names_in(folder: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}
