//! How does a page that is open learn that the book was rebuilt, or could not be?
//!
//! The page asks for changes and names the last one that it knows of; the answer waits until there is another.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where the page asks.
pub const CHANGES: &str = "/.book/changes";
/// Where the script is.
pub const SCRIPT: &str = "/.book/reload.js";
/// What the script does.
pub const CODE: &str = include_str!("reload.js");

/// Longer than any proxy or browser minds.
const PATIENCE: Duration = Duration::from_secs(25);

/// What the pages show.
#[derive(Default)]
pub struct Shown {
    state: Mutex<State>,
    changed: Condvar,
}

/// One state of the book.
#[derive(Clone)]
pub struct State {
    /// Counts good builds and failures.
    change: u64,
    /// Counts good builds.
    build: u64,
    /// Why the newest build failed, if it did.
    pub wrong: Option<String>,
}

impl Default for State {
    fn default() -> State {
        // A page that an earlier server left open must not take this one's first build for its own.
        let start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        State {
            change: start,
            build: start,
            wrong: None,
        }
    }
}

impl State {
    /// The state as the script reads it.
    pub fn json(&self) -> String {
        serde_json::json!({
            "change": self.change.to_string(),
            "build": self.build.to_string(),
            "wrong": self.wrong.as_deref().unwrap_or(""),
        })
        .to_string()
    }

    /// The script's tag, for a page that shows this state's book.
    pub fn tag(&self) -> String {
        format!(
            "<script src=\"{SCRIPT}\" data-build=\"{}\"></script>",
            self.build
        )
    }
}

impl Shown {
    /// The book is good and new.
    pub fn built(&self) {
        self.change(|state| {
            state.build += 1;
            state.wrong = None;
        });
    }

    /// The book could not be rebuilt.
    pub fn failed(&self, wrong: String) {
        self.change(|state| state.wrong = Some(wrong));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.change += 1;
        change(&mut state);
        self.changed.notify_all();
    }

    /// The state now.
    pub fn now(&self) -> State {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The state as soon as it differs from the one that `known` names; after a while in any case.
    pub fn after(&self, known: &str) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |state: &mut State| state.change.to_string() == known;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, same);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}
