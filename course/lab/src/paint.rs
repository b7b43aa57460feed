//! When is output colored?

use std::io::IsTerminal;

/// Color, where a person looks.
pub struct Paint(bool);

impl Paint {
    /// `asked` is the command line's word; without one the terminal decides.
    pub fn new(asked: Option<bool>) -> Paint {
        let variable = match std::env::var("LAB_COLOR").as_deref() {
            Ok("always") => Some(true),
            Ok("never") => Some(false),
            _ => None,
        };
        let auto = || std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Paint(asked.or(variable).unwrap_or_else(auto))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    /// What is well.
    pub fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
    /// What failed.
    pub fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }
    /// What could not be run.
    pub fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }
    /// A heading.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }
}
