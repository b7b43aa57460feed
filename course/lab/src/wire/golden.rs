//! Was the same on the wire as when the record was kept?
//!
//! ```ignore
//! cx.golden(concat!(env!("CARGO_MANIFEST_DIR"), "/wire/server-process-dies.wire"), &net.wire()?.tcp(7))?;
//! ```

use std::fs;
use std::io;
use std::path::Path;

use super::Wire;
use super::record::{Outline, outline_of};
use crate::{Check, Finding};

impl Check {
    /// Demands that this was on the wire as the record at `file` has it; acknowledgments that are nothing else may differ. With
    /// `LAB_BLESS=1` the wire becomes the record if it is another, or there is none.
    ///
    /// # Errors
    /// A failure that shows the first difference, and both.
    pub fn golden(&self, file: impl AsRef<Path>, wire: &Wire) -> Result<(), Finding> {
        let file = file.as_ref();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if wire.frames().is_empty() {
            return Err(Finding::fail(format!(
                "nothing was on the wire that {name} could keep"
            )));
        }
        let bless = std::env::var_os("LAB_BLESS").is_some_and(|set| set == "1");
        let old = match fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let fresh = wire.outline();
        let difference = match &old {
            Some(text) => difference(&outline_of(text), &fresh),
            None => Some(format!("there is no record {name} yet")),
        };
        let Some(difference) = difference else {
            return Ok(());
        };
        if bless {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = file.with_extension("wire.new");
            fs::write(&beside, wire.record())?;
            fs::rename(&beside, file)?;
            self.step(format!("{name} was written"));
            return Ok(());
        }
        let listed = |lines: &[Outline]| {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| format!("  {}", line.text))
                .collect();
            lines.join("\n")
        };
        let finding = Finding::fail(format!(
            "{difference}; if it is to be so, run the test with LAB_BLESS=1"
        ));
        let kept = old.map(|text| format!("{name} has:\n{}", listed(&outline_of(&text))));
        Err(kept
            .into_iter()
            .fold(finding, Finding::with_detail)
            .with_detail(format!("the wire has:\n{}", listed(&fresh))))
    }
}

/// The first difference, if there is one, of what must be the same.
fn difference(kept: &[Outline], fresh: &[Outline]) -> Option<String> {
    let must = |lines: &[Outline]| -> Vec<String> {
        lines
            .iter()
            .filter(|line| !line.bare)
            .map(|line| line.text.clone())
            .collect()
    };
    let (kept, fresh) = (must(kept), must(fresh));
    let at = kept
        .iter()
        .zip(&fresh)
        .take_while(|(kept, fresh)| kept == fresh)
        .count();
    match (kept.get(at), fresh.get(at)) {
        (None, None) => None,
        (Some(kept), Some(fresh)) => {
            Some(format!("the record has {kept:?}, the wire has {fresh:?}"))
        }
        (Some(kept), None) => Some(format!("the wire ends before {kept:?} of the record")),
        (None, Some(fresh)) => Some(format!(
            "the wire has one frame more than the record: {fresh:?}"
        )),
    }
}
