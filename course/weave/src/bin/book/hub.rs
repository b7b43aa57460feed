//! What happens, and who hears of it?
//!
//! Everything that a page may have to show is a message, one line of JSON. A page that begins to listen first hears all
//! that still matters: the book's state, the progress, and the last run of each exercise and each experiment. Then it
//! hears what happens. Listeners fetch their messages, so one that is slow holds up nobody; one that is so slow that
//! messages are gone begins anew.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// A listener that has gone is noticed when it is written to.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Messages that are kept for slow listeners.
const KEPT: usize = 2000;

/// What happens, shared by those who say and those who hear.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    said: Condvar,
}

struct State {
    /// Counts good builds.
    build: u64,
    /// Why the newest build failed, if it did.
    wrong: Option<String>,
    progress: Arc<str>,
    /// The number of the last job.
    jobs: u64,
    /// The last run of each thing that was run, the newest last.
    runs: Vec<Run>,
    recent: VecDeque<Arc<str>>,
    /// The number of the message that comes next.
    next: u64,
}

struct Run {
    job: u64,
    target: Value,
    messages: Vec<Arc<str>>,
    /// What it is at; only the last matters.
    busy: Option<Arc<str>>,
}

impl Hub {
    /// Nothing has happened.
    pub fn new() -> Hub {
        // A page that an earlier server left open must not take this one's first build for its own.
        let start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        Hub(Arc::new(Inner {
            state: Mutex::new(State {
                build: start,
                wrong: None,
                progress: json!({ "kind": "progress" }).to_string().into(),
                jobs: 0,
                runs: Vec::new(),
                recent: VecDeque::new(),
                next: 0,
            }),
            said: Condvar::new(),
        }))
    }

    /// The book is good and new.
    pub fn built(&self) {
        self.change(|state| {
            state.build += 1;
            state.wrong = None;
            Some(state.book())
        });
    }

    /// The book could not be rebuilt.
    pub fn failed(&self, wrong: String) {
        self.change(|state| {
            state.wrong = Some(wrong);
            Some(state.book())
        });
    }

    /// The build that is shown, and why there is no newer one.
    pub fn book(&self) -> (u64, Option<String>) {
        let state = self.lock();
        (state.build, state.wrong.clone())
    }

    /// How the reader stands.
    pub fn progress(&self, progress: Value) {
        self.change(|state| {
            let message: Arc<str> = json!({ "kind": "progress", "of": progress })
                .to_string()
                .into();
            (message != state.progress).then(|| {
                state.progress = message.clone();
                message
            })
        });
    }

    /// A job begins. What its target's last one said no longer matters.
    pub fn begins(&self, job: u64, target: &Value) {
        self.change(|state| {
            state.jobs = job;
            state.runs.retain(|run| run.target != *target);
            state.runs.push(Run {
                job,
                target: target.clone(),
                messages: Vec::new(),
                busy: None,
            });
            None
        });
        self.job(job, json!({ "kind": "begin" }));
    }

    /// A job says something.
    pub fn job(&self, job: u64, mut message: Value) {
        self.change(|state| {
            let run = state.runs.iter_mut().find(|run| run.job == job)?;
            message["job"] = job.into();
            message["target"] = run.target.clone();
            let line: Arc<str> = message.to_string().into();
            run.busy = None;
            if message["event"]["event"] == "busy" {
                run.busy = Some(line.clone());
            } else {
                run.messages.push(line.clone());
            }
            Some(line)
        });
    }

    /// Writes an event stream (HTML standard, section 9.2) until the listener has gone.
    ///
    /// # Errors
    ///
    /// What `write(2)` reports then.
    pub fn tell(&self, listener: &mut dyn Write) -> io::Result<()> {
        let mut at = None;
        loop {
            let (lines, next) = self.since(at);
            at = Some(next);
            let mut text = String::new();
            for line in lines {
                text += &format!("data: {line}\n\n");
            }
            if text.is_empty() {
                // A comment.
                text += ":\n\n";
            }
            listener.write_all(text.as_bytes())?;
            listener.flush()?;
        }
    }

    /// What was said since message `at`, waiting for it for a while, and where to go on; all that matters without `at`.
    fn since(&self, at: Option<u64>) -> (Vec<Arc<str>>, u64) {
        let mut state = self.lock();
        if let Some(at) = at {
            let nothing = |state: &mut State| state.next == at;
            let waited = self.0.said.wait_timeout_while(state, HEARTBEAT, nothing);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            let behind = (state.next - at) as usize;
            if behind <= state.recent.len() {
                let from = state.recent.len() - behind;
                return (state.recent.range(from..).cloned().collect(), state.next);
            }
        }
        let mut lines = vec![
            json!({ "kind": "hello", "jobs": state.jobs })
                .to_string()
                .into(),
            state.book(),
            state.progress.clone(),
        ];
        for run in &state.runs {
            lines.extend(run.messages.iter().chain(&run.busy).cloned());
        }
        (lines, state.next)
    }

    fn change(&self, change: impl FnOnce(&mut State) -> Option<Arc<str>>) {
        let mut state = self.lock();
        if let Some(message) = change(&mut state) {
            state.recent.push_back(message);
            if state.recent.len() > KEPT {
                state.recent.pop_front();
            }
            state.next += 1;
            self.0.said.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn book(&self) -> Arc<str> {
        let wrong = self.wrong.as_deref().unwrap_or("");
        json!({ "kind": "book", "build": self.build.to_string(), "wrong": wrong })
            .to_string()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(hub: &Hub, at: Option<u64>) -> (Vec<Value>, u64) {
        let (lines, next) = hub.since(at);
        let values = lines.iter().map(|line| serde_json::from_str(line));
        (values.collect::<Result<_, _>>().expect("JSON"), next)
    }

    #[test]
    fn who_comes_late_hears_what_still_matters() {
        let hub = Hub::new();
        hub.built();
        let (one, other) = (json!({ "exercise": "a" }), json!({ "claims": "01.01" }));
        hub.begins(1, &one);
        hub.job(1, json!({ "kind": "event", "event": { "event": "check" } }));
        hub.begins(2, &other);
        hub.begins(3, &one);
        for text in ["1", "2"] {
            hub.job(
                3,
                json!({ "kind": "event", "event": { "event": "busy", "text": text } }),
            );
        }
        // Nobody waits for this any more.
        hub.job(1, json!({ "kind": "done" }));
        let (heard, _) = heard(&hub, None);
        let jobs: Vec<_> = heard.iter().map(|line| line["job"].as_u64()).collect();
        assert_eq!(jobs, [None, None, None, Some(2), Some(3), Some(3)]);
        assert_eq!(heard[5]["event"]["text"], "2");
    }

    #[test]
    fn who_is_too_slow_begins_anew() {
        let hub = Hub::new();
        let (_, next) = heard(&hub, None);
        hub.failed("no".into());
        assert_eq!(heard(&hub, Some(next)).0.len(), 1);
        for _ in 0..=KEPT {
            hub.built();
        }
        assert_eq!(heard(&hub, Some(next)).0[0]["kind"], "hello");
    }
}
