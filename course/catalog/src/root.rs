//! Where does the course live on this machine?

use std::fmt;
use std::path::{Path, PathBuf};

/// Neither the folder nor any above it holds the course.
#[derive(Debug)]
pub struct NoRoot {
    from: PathBuf,
}

impl fmt::Display for NoRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no course at {} or above it (a Cargo.toml with [workspace] beside a folder `exercises`): \
             change into your clone and try again",
            self.from.display()
        )
    }
}

impl std::error::Error for NoRoot {}

/// Walks up from `from` to the folder that holds a `Cargo.toml` with `[workspace]`, and a folder `exercises`.
///
/// # Errors
///
/// [`NoRoot`] when the walk ends at `/`.
pub fn find_root(from: &Path) -> Result<PathBuf, NoRoot> {
    let start = from.canonicalize().unwrap_or_else(|_| from.to_owned());
    start
        .ancestors()
        .find(|dir| is_root(dir))
        .map(Path::to_owned)
        .ok_or(NoRoot {
            from: start.clone(),
        })
}

/// [`find_root`] from the current folder, else from the package that cargo is running (`CARGO_MANIFEST_DIR`).
///
/// # Errors
///
/// [`NoRoot`] when neither is inside the course.
pub fn find_root_from_here() -> Result<PathBuf, NoRoot> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    find_root(&here).or_else(|error| match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => find_root(Path::new(&dir)).map_err(|_| error),
        None => Err(error),
    })
}

fn is_root(dir: &Path) -> bool {
    dir.join("exercises").is_dir()
        && std::fs::read_to_string(dir.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}
