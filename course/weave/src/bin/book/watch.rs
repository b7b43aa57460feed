//! When was one of the book's files saved?

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use notify::event::EventKind;
use notify::{Event, RecursiveMode, Watcher};

/// Editors save in several steps; this long without one, and the file is whole.
const QUIET: Duration = Duration::from_millis(50);

/// The files are watched as long as this lives.
pub struct Changes {
    events: Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Waits until something was saved. False when nothing can come any more.
    pub fn wait(&self) -> bool {
        if self.events.recv().is_err() {
            return false;
        }
        while self.events.recv_timeout(QUIET).is_ok() {}
        true
    }
}

/// Watches everything that the book is woven from.
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
            _ = sender.send(());
        }
    })
    .map_err(|error| plain(&error))?;
    for folder in ["book", "chapters", "exercises", "solutions"] {
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
