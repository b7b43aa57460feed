//! What is being run for the reader? One thing at a time, by `cargo course`, which knows how and keeps the progress.
//!
//! A page names what it wants by the id of an exercise, a claim or a chapter. The id is looked up in the catalog, and
//! the catalog's own word becomes an argument: no path, no command and no code comes from a request.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::{Catalog, Reasons};
use serde_json::{Value, json};

use crate::child::{End, Stop, Work};
use crate::hub::Hub;

/// A first build on a slow machine takes minutes; graders have deadlines of their own, in seconds.
const LIMIT: Duration = Duration::from_mins(20);

/// What can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An exercise, by its slug.
    Exercise(String),
    /// The experiments of a claim or of a whole chapter.
    Claims(String),
}

impl Target {
    /// What a request names, if there is such a thing.
    pub fn find(asked: &Value, catalog: &Catalog) -> Option<Target> {
        let asked = asked.as_object().filter(|asked| asked.len() == 1)?;
        let (kind, id) = asked.iter().next()?;
        let id = id.as_str()?;
        match kind.as_str() {
            "exercise" => {
                let exercise = catalog.exercises.iter().find(|known| known.slug == id)?;
                Some(Target::Exercise(exercise.slug.clone()))
            }
            "claims" => {
                let chapter = catalog
                    .chapters
                    .iter()
                    .find(|known| format!("{:02}", known.number) == id)
                    .filter(|known| !known.claims.is_empty());
                let claim = || {
                    let claim = catalog.claim(id)?;
                    claim.experiment()?;
                    Some(&claim.id)
                };
                let found = chapter.map(|chapter| &chapter.dir).or_else(claim)?;
                Some(Target::Claims(found.clone()))
            }
            _ => None,
        }
    }

    fn json(&self) -> Value {
        match self {
            Target::Exercise(slug) => json!({ "exercise": slug }),
            Target::Claims(id) => json!({ "claims": id }),
        }
    }

    fn arguments(&self) -> [&str; 3] {
        match self {
            Target::Exercise(slug) => ["grade", slug, "--events"],
            Target::Claims(id) => ["claims", id, "--events"],
        }
    }
}

/// Something else is being run.
pub struct Busy;

/// The one who runs things.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    root: PathBuf,
    hub: Hub,
    state: Mutex<State>,
    wanted: Condvar,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    next: Option<Target>,
    /// The progress may have changed.
    stale: bool,
    /// How many jobs there were.
    jobs: u64,
}

struct Running {
    target: Target,
    job: u64,
    stop: Stop,
}

impl Jobs {
    /// Begins: builds `cargo course`, and asks it how the reader stands.
    pub fn start(root: &Path, hub: Hub) -> Jobs {
        let jobs = Jobs(Arc::new(Inner {
            root: root.to_owned(),
            hub,
            state: Mutex::new(State {
                stale: true,
                ..State::default()
            }),
            wanted: Condvar::new(),
        }));
        let worker = jobs.clone();
        std::thread::spawn(move || worker.work());
        jobs
    }

    /// Runs what a page asks for, and says the job's number; who asks for what runs already gets that one's.
    ///
    /// # Errors
    ///
    /// [`Busy`] while something else runs or waits.
    pub fn ask(&self, target: Target) -> Result<(), Busy> {
        let mut state = self.lock();
        let running = state.running.as_ref().map(|running| &running.target);
        match running.or(state.next.as_ref()) {
            Some(other) if *other == target => Ok(()),
            Some(_) => Err(Busy),
            None => {
                state.next = Some(target);
                self.0.wanted.notify_all();
                Ok(())
            }
        }
    }

    /// Grades an exercise that was saved: at once where an exercise is being graded, else next.
    pub fn saved(&self, slug: &str) {
        let mut state = self.lock();
        if let Some(running) = &state.running
            && matches!(running.target, Target::Exercise(_))
        {
            running.stop.now();
        }
        state.next = Some(Target::Exercise(slug.to_owned()));
        self.0.wanted.notify_all();
    }

    /// Ends what runs, and forgets what was to come.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.next = None;
        if let Some(running) = &state.running {
            running.stop.now();
        }
    }

    /// The progress may have changed: ask for it.
    pub fn stale(&self) {
        self.lock().stale = true;
        self.0.wanted.notify_all();
    }

    fn work(&self) {
        let mut course = None;
        loop {
            let (work, target) = {
                let idle = |state: &mut State| state.next.is_none() && !state.stale;
                let waited = self.0.wanted.wait_while(self.lock(), idle);
                let mut state = waited.unwrap_or_else(PoisonError::into_inner);
                let work = Work::new();
                let target = state.next.take();
                match &target {
                    Some(target) => {
                        state.jobs += 1;
                        state.running = Some(Running {
                            target: target.clone(),
                            job: state.jobs,
                            stop: work.stop(),
                        });
                    }
                    None => state.stale = false,
                }
                (work, target)
            };
            match target {
                Some(target) => {
                    let (job, wrong) = self.run(&work, &target, &mut course);
                    let mut state = self.lock();
                    state.running = None;
                    state.stale = true;
                    drop(state);
                    // Told last: a page that asks for more as soon as it hears this is not refused.
                    let done = json!({ "kind": "done", "wrong": wrong });
                    self.0.hub.job(job, done);
                }
                None => self.0.hub.progress(self.progress(&work, &mut course)),
            }
        }
    }

    /// Runs it, and gives its number and what was wrong with the run itself.
    fn run(
        &self,
        work: &Work,
        target: &Target,
        course: &mut Option<PathBuf>,
    ) -> (u64, Option<String>) {
        let job = self
            .lock()
            .running
            .as_ref()
            .map_or(0, |running| running.job);
        let hub = &self.0.hub;
        hub.begins(job, &target.json());
        let course = match self.course(work, course) {
            Ok(course) => course,
            Err(what) => return (job, Some(what)),
        };
        let catalog = Catalog::load(&self.0.root);
        let reasons = reasons(&self.0.root);
        let mut command = self.command(&course);
        command.args(target.arguments());
        let ran = work.run(&mut command, LIMIT, |line| {
            if let Ok(event) = serde_json::from_slice::<Value>(line) {
                let event = shown(event, target, &catalog, &reasons);
                hub.job(job, json!({ "kind": "event", "event": event }));
            }
        });
        let wrong = match ran {
            // Not passing is an answer, too; what could not be answered has a line that says so.
            Ok((End::Itself(true), _)) => None,
            Ok((End::Itself(false), complaint)) => complaint
                .lines()
                .any(|line| line.starts_with("error: "))
                .then_some(complaint),
            Ok((End::Stopped, _)) => Some("Stopped.".to_owned()),
            Ok((End::Late, _)) => Some(format!(
                "It took more than {} minutes, and was ended.",
                LIMIT.as_secs() / 60
            )),
            Ok((End::TooMuch, _)) => Some("It said more than can be shown, and was ended.".into()),
            Err(error) => Some(format!("`cargo course` cannot be started: {error}")),
        };
        (job, wrong)
    }

    /// How the reader stands with each exercise, as `cargo course list` says it.
    fn progress(&self, work: &Work, course: &mut Option<PathBuf>) -> Value {
        let list = self.course(work, course).and_then(|course| {
            let mut said = Vec::new();
            let mut command = self.command(&course);
            let ran = work.run(command.args(["list", "--json"]), LIMIT, |line| {
                said.extend(line);
            });
            match ran {
                Ok((End::Itself(true), _)) => {
                    serde_json::from_slice(&said).map_err(|error| error.to_string())
                }
                Ok((_, complaint)) => Err(complaint),
                Err(error) => Err(error.to_string()),
            }
        });
        list.unwrap_or_else(|what| json!({ "wrong": what }))
    }

    /// The program `cargo course`, built once: then it starts at once, and waits for no other cargo.
    fn course(&self, work: &Work, known: &mut Option<PathBuf>) -> Result<PathBuf, String> {
        if let Some(course) = known.as_ref().filter(|course| course.is_file()) {
            return Ok(course.clone());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.command(Path::new(&cargo));
        command.args(["build", "--quiet", "--package", "course"]);
        command.args([
            "--bin",
            "cargo-course",
            "--message-format",
            "json-render-diagnostics",
        ]);
        let mut built = None;
        let ran = work.run(&mut command, LIMIT, |line| {
            let artifact: Value = serde_json::from_slice(line).unwrap_or_default();
            if artifact["target"]["name"] == "cargo-course" {
                built = artifact["executable"].as_str().map(PathBuf::from);
            }
        });
        match ran {
            Ok((End::Itself(true), _)) => {
                known.clone_from(&built);
                built.ok_or_else(|| "cargo says nothing of where `cargo course` is".into())
            }
            Ok((End::Stopped, _)) => Err("Stopped.".into()),
            Ok((_, complaint)) => Err(format!("`cargo course` cannot be built:\n{complaint}")),
            Err(error) => Err(format!("cargo cannot be started: {error}")),
        }
    }

    /// A program, run in the course's folder, without what the cargo that started us has put in the environment.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.0.root)
            .env("CARGO_TERM_COLOR", "never");
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        command
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The graders' reasons in each of the languages that are not English.
fn reasons(root: &Path) -> Vec<(String, Reasons)> {
    let languages = Catalog::languages(root).into_iter();
    let load = |language: String| {
        let catalog = Catalog::load_in(root, &language);
        (language, catalog.reasons)
    };
    languages.map(load).collect()
}

/// An event as a page shows it: the record of a wire becomes a drawing, and a message is there in each language.
fn shown(
    mut event: Value,
    target: &Target,
    catalog: &Catalog,
    reasons: &[(String, Reasons)],
) -> Value {
    if let (Some(check), Some(record), Target::Exercise(slug)) =
        (event["check"].as_str(), event["record"].as_str(), target)
        && let Ok(exercise) = catalog.exercise(slug)
    {
        let drawing = weave::drawn(catalog, exercise, check, record);
        event["html"] = drawing.unwrap_or_default().into();
        event["record"].take();
    }
    if let Some(message) = event["message"].as_str().map(str::to_owned) {
        for (language, reasons) in reasons {
            event["messages"][language] = reasons.translate(&message).into();
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_course_has_can_be_named() {
        let catalog = Catalog::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let found = |asked: Value| Target::find(&asked, &catalog);
        let slug = &catalog.exercises[0].slug;
        assert_eq!(
            found(json!({ "exercise": slug })),
            Some(Target::Exercise(slug.clone()))
        );
        let chapter = format!("{:02}", catalog.chapters[0].number);
        assert!(found(json!({ "claims": chapter })).is_some());
        for asked in [
            json!({ "exercise": "../value-result" }),
            json!({ "exercise": "all" }),
            json!({ "exercise": "--help" }),
            json!({ "exercise": [slug] }),
            json!({ "exercise": slug, "claims": chapter }),
            json!({ "claims": "all" }),
            json!({ "claims": "" }),
            json!({ "command": "ls" }),
            json!([slug]),
            json!(slug),
            json!(null),
        ] {
            assert_eq!(found(asked.clone()), None, "{asked}");
        }
    }

    #[test]
    fn a_message_is_told_in_each_language() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let catalog = Catalog::load(&root);
        let reasons = reasons(&root);
        let (language, chinese) = &reasons[0];
        let english = chinese.english().next().expect("a reason is translated");
        let ours = chinese.of(english).expect("its translation");
        let target = Target::Exercise(catalog.exercises[0].slug.clone());
        let message = format!("  x. expected 5\n\n  {english}\n");
        let event = shown(json!({ "message": message }), &target, &catalog, &reasons);
        assert_eq!(event["message"], message);
        let told = event["messages"][language].as_str().unwrap_or_default();
        let begin: String = ours.chars().take(4).collect();
        assert!(
            told.contains("expected 5") && told.contains(&begin),
            "{told}"
        );
        assert!(!told.contains(english), "{told}");
    }
}
