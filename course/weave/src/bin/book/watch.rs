//! When was one of the course's files saved, and which?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use catalog::Catalog;
use notify::event::EventKind;
use notify::{Event, RecursiveMode, Watcher};

/// Editors save in several steps; this long without one, and the file is whole.
const QUIET: Duration = Duration::from_millis(50);

/// The files are watched as long as this lives.
pub struct Changes {
    events: Receiver<Vec<PathBuf>>,
    _watcher: notify::RecommendedWatcher,
}

/// What was saved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Something that the book is woven from.
    pub book: bool,
    /// The answers of these exercises, by their slugs.
    pub exercises: BTreeSet<String>,
    /// What is kept of the reader's progress.
    pub progress: bool,
}

impl Saved {
    /// What these paths mean.
    fn of(paths: &[PathBuf], catalog: &Catalog) -> Saved {
        let mut saved = Saved::default();
        for path in paths {
            let inside = path.strip_prefix(&catalog.root).unwrap_or(path);
            if inside.starts_with(".course") {
                saved.progress |= inside.ends_with("progress.txt");
            } else if let Some(exercise) = catalog.exercise_of(inside) {
                saved.exercises.insert(exercise.slug.clone());
                // The learner's answer stands on no page; its card does.
                saved.book |= inside.ends_with("Cargo.toml");
            } else {
                saved.book = true;
            }
        }
        saved
    }
}

impl Changes {
    /// Waits until something was saved. None when nothing can come any more.
    pub fn wait(&self, catalog: &Catalog) -> Option<Saved> {
        let mut paths = self.events.recv().ok()?;
        while let Ok(more) = self.events.recv_timeout(QUIET) {
            paths.extend(more);
        }
        Some(Saved::of(&paths, catalog))
    }
}

/// Watches everything that the book is woven from, and the progress.
pub fn watch(root: &Path) -> Result<Changes, String> {
    let (sender, events) = mpsc::channel();
    let built = root.join("book/book");
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let Ok(event) = event else { return };
        // The build reads these files, and a stock mdBook writes below them: neither is a change.
        let changed = matches!(
            event.kind,
            EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
        );
        if changed && !event.paths.iter().all(|path| path.starts_with(&built)) {
            _ = sender.send(event.paths);
        }
    })
    .map_err(|error| plain(&error))?;
    // Where there is no progress yet, there may be soon; where it cannot be kept, there never is.
    _ = std::fs::create_dir_all(root.join(".course"));
    for folder in ["book", "chapters", "exercises", "solutions", ".course"] {
        let folder = root.join(folder);
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .map_err(|error| plain(&error))?;
        }
    }
    Ok(Changes {
        events,
        _watcher: watcher,
    })
}

fn plain(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the limit of watched files is reached; raise it with `sysctl fs.inotify.max_user_watches=524288`".into()
        }
        _ => error.to_string(),
    }
}
