//! What does the course's command line learn from a run?
//!
//! One JSON object a line, appended to the file that `LAB_REPORT` names. Written by hand: the objects
//! are flat, and every learner compiles this.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};

/// A flat JSON object in the making.
pub struct Object(String);

impl Object {
    /// An object whose first member says what happened.
    pub fn event(name: &str) -> Object {
        Object(String::from("{\"event\":")).string(name)
    }

    /// A member that is text.
    pub fn text(mut self, key: &str, value: &str) -> Object {
        let _ = write!(self.0, ",\"{key}\":");
        self.string(value)
    }

    /// A member that is a number.
    pub fn number(mut self, key: &str, value: impl Into<u64>) -> Object {
        let _ = write!(self.0, ",\"{key}\":{}", value.into());
        self
    }

    /// A member that is a list of texts.
    pub fn texts(mut self, key: &str, values: &[String]) -> Object {
        let _ = write!(self.0, ",\"{key}\":[");
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                self.0.push(',');
            }
            self = self.string(value);
        }
        self.0.push(']');
        self
    }

    fn string(mut self, value: &str) -> Object {
        self.0.push('"');
        for c in value.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                c if c.is_control() => {
                    let _ = write!(self.0, "\\u{:04x}", c as u32);
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
        self
    }
}

/// The file, when one is asked for.
pub struct Report(Option<File>);

impl Report {
    /// Opens what `LAB_REPORT` names. The variable is taken out of the environment, so that no subject
    /// learns the path.
    ///
    /// # Errors
    ///
    /// What `open(2)` reports, with the path.
    pub fn open() -> Result<Report, String> {
        let Some(path) = std::env::var_os("LAB_REPORT") else {
            return Ok(Report(None));
        };
        // SAFETY: the runner has one thread, and nobody else reads the environment. The value is
        // overwritten in its place, from where `/proc/self/environ` would still show it.
        unsafe {
            let value = libc::getenv(c"LAB_REPORT".as_ptr());
            if !value.is_null() {
                libc::memset(value.cast(), i32::from(b'-'), libc::strlen(value));
            }
            std::env::remove_var("LAB_REPORT");
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|e| format!("LAB_REPORT: {}: {e}", path.display()))?;
        let file = crate::system::own(file.into()).map_err(|e| format!("LAB_REPORT: {e}"))?;
        Ok(Report(Some(file.into())))
    }

    /// Appends a line.
    ///
    /// # Errors
    ///
    /// What `write(2)` reports: a full disk.
    pub fn write(&mut self, object: Object) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        file.write_all((object.0 + "}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        let object = Object::event("x")
            .text("a", "\"\\\n\u{1b}é")
            .texts("l", &["1".into(), "2".into()]);
        assert_eq!(
            object.number("n", 3_u64).0,
            r#"{"event":"x","a":"\"\\\n\u001bé","l":["1","2"],"n":3"#
        );
    }
}
