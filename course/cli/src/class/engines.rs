//! Which files does an engine need that grades classes already? Templates, from `course/class`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::outputs::keep_aside;
use crate::command::Usage;
use crate::paint::line;
use crate::progress::write_atomically;

/// A file: where it goes, what is in it, whether it is a program.
type Template = (&'static str, &'static str, bool);

const ENGINES: [(&str, &[Template]); 3] = [
    (
        "github-classroom",
        &[
            (
                ".github/workflows/classroom.yml",
                include_str!("../../../class/github-classroom/classroom.yml"),
                false,
            ),
            (
                "README.md",
                include_str!("../../../class/github-classroom/README.md"),
                false,
            ),
        ],
    ),
    (
        "gradescope",
        &[
            (
                "course.conf",
                include_str!("../../../class/gradescope/course.conf"),
                false,
            ),
            (
                "setup.sh",
                include_str!("../../../class/gradescope/setup.sh"),
                true,
            ),
            (
                "run_autograder",
                include_str!("../../../class/gradescope/run_autograder"),
                true,
            ),
            (
                "README.md",
                include_str!("../../../class/gradescope/README.md"),
                false,
            ),
        ],
    ),
    (
        "kubernetes",
        &[
            (
                "job.yaml",
                include_str!("../../../class/kubernetes/job.yaml"),
                false,
            ),
            (
                "Dockerfile",
                include_str!("../../../class/kubernetes/Dockerfile"),
                false,
            ),
            (
                "README.md",
                include_str!("../../../class/kubernetes/README.md"),
                false,
            ),
        ],
    ),
];

/// Writes an engine's files. One that is there and differs is kept aside.
///
/// # Errors
///
/// [`Usage`] for an engine that we do not know; what `open(2)` and `write(2)` report.
pub fn write(engine: &str, out: Option<&Path>) -> Result<bool> {
    let Some((_, files)) = ENGINES.iter().find(|(name, _)| *name == engine) else {
        let names: Vec<_> = ENGINES.iter().map(|(name, _)| *name).collect();
        return Err(Usage(format!("`{engine}` is none of {}", names.join(", "))).into());
    };
    let Some(out) = out else {
        return Err(Usage(format!(
            "where to? cargo course class files {engine} --out DIR"
        ))
        .into());
    };
    for (name, text, program) in *files {
        let path = out.join(name);
        fs::create_dir_all(path.parent().context("it has a parent")?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        match fs::read(&path) {
            Ok(before) if before == text.as_bytes() => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            _ => keep_aside(&path)?,
        }
        write_atomically(&path, text.as_bytes()).with_context(|| path.display().to_string())?;
        if *program {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        line(path.display());
    }
    Ok(true)
}
