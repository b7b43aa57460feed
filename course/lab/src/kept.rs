//! Does a table of what the crates found still say what it said when it was kept?
//!
//! ```ignore
//! cx.kept(concat!(env!("CARGO_MANIFEST_DIR"), "/layout/addresses.layout"), &text)?;
//! ```
//!
//! The book draws such tables. They are text, and a test writes them, so no number in a drawing is typed by hand.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Check, Finding};

impl Check {
    /// Demands that the file at `file` has this text. With `LAB_BLESS=1` the text becomes the file's if it is another.
    ///
    /// # Errors
    /// A failure that shows the first line that differs.
    pub fn kept(&self, file: impl AsRef<Path>, text: &str) -> Result<(), Finding> {
        let file = file.as_ref();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let old = match fs::read_to_string(file) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let Some(difference) = difference(&name, old.as_deref(), text) else {
            return Ok(());
        };
        if std::env::var_os("LAB_BLESS").is_some_and(|set| set == "1") {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = file.with_extension("new");
            fs::write(&beside, text)?;
            fs::rename(&beside, file)?;
            self.step(format!("{name} was written"));
            return Ok(());
        }
        Err(Finding::fail(format!(
            "{difference}; if it is to be so, run the test with LAB_BLESS=1"
        )))
    }
}

/// The first line that differs, in a sentence.
fn difference(name: &str, old: Option<&str>, new: &str) -> Option<String> {
    let Some(old) = old else {
        return Some(format!("there is no {name} yet"));
    };
    if old == new {
        return None;
    }
    let lines = old.lines().zip(new.lines());
    let number = 1 + lines.take_while(|(old, new)| old == new).count();
    let line = |text: &str| {
        let line = text.lines().nth(number - 1);
        line.map_or("nothing".to_owned(), |line| format!("{line:?}"))
    };
    Some(format!(
        "line {number} of {name} has {}, and is to have {}",
        line(old),
        line(new)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_said() {
        assert_eq!(difference("a", Some("1\n2\n"), "1\n2\n"), None);
        let said = |old, new| difference("a", old, new).expect("a difference");
        assert_eq!(said(None, "1\n"), "there is no a yet");
        assert_eq!(
            said(Some("1\n2\n"), "1\n3\n"),
            "line 2 of a has \"2\", and is to have \"3\""
        );
        assert_eq!(
            said(Some("1\n"), "1\n3\n"),
            "line 2 of a has nothing, and is to have \"3\""
        );
    }
}
