//! `cargo book`: builds the book and shows it, rebuilt whenever one of its files is saved. Its pages grade.
//!
//! [`http`] turns bytes into requests, [`gate`] says who may ask for what, [`serve`] answers. [`jobs`] runs what the
//! reader wants, in a [`child`], and [`hub`] tells the pages what happens.

mod arguments;
mod build;
mod child;
mod gate;
mod http;
mod hub;
mod jobs;
mod print;
mod serve;
mod warnings;
mod watch;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use arguments::Arguments;
use build::Failure;
use catalog::Catalog;
use gate::Gate;
use hub::Hub;
use jobs::Jobs;
use nix::sys::signal::{SigSet, Signal};
use serve::Book;
use watch::Changes;

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo book: {error}; see `cargo book --help`");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let root = catalog::find_root_from_here().map_err(|error| error.to_string())?;
    let folder = folder(&root);
    if let Some(format) = arguments.file {
        return print::print(
            &root,
            &folder,
            format,
            &arguments.language,
            arguments.out.as_deref(),
        );
    }
    if arguments.build {
        return build_only(
            &root,
            arguments.out.clone().unwrap_or_else(|| folder.join("site")),
        );
    }
    show(&root, &folder, arguments)
}

/// Where the book is built: in cargo's own folder for what is built.
fn folder(root: &Path) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root.join(target).join("book")
}

fn build_only(root: &Path, out: PathBuf) -> Result<(), String> {
    let out = std::path::absolute(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    build::check_out(&out)?;
    let start = Instant::now();
    build::build(root, &out).map_err(Failure::text)?;
    println!(
        "built {} in {} ms; every link in it leads somewhere",
        out.display(),
        start.elapsed().as_millis()
    );
    Ok(())
}

fn show(root: &Path, folder: &Path, arguments: &Arguments) -> Result<(), String> {
    end_on_signals();
    // Before the build, because a port that is taken need not wait for it.
    let port = arguments.port;
    let (listeners, port) = serve::listen(port).map_err(|error| {
        let other = if port == 0 {
            ""
        } else {
            "; choose another with --port, or none and the kernel chooses"
        };
        format!("cannot listen on 127.0.0.1:{port}: {error}{other}")
    })?;
    let gate = Gate::new(port).map_err(|error| format!("no secret can be made: {error}"))?;
    let site = build::Site::open(folder)?;
    let hub = Hub::new();
    // Watching begins before the first build, so that nothing saved meanwhile is missed.
    let changes = watch::watch(root);
    rebuild(root, &site, &hub)?;
    let jobs = Jobs::start(root, hub.clone());
    let address = format!("http://127.0.0.1:{port}/?{}", gate.query());
    let book = Arc::new(Book {
        root: root.to_owned(),
        site,
        gate,
        hub,
        jobs,
    });
    serve::start(listeners, &book);
    _ = writeln!(
        io::stdout(),
        "\n    {address}\n\nThe book is rebuilt when you save one of its files, and an exercise is graded when you save it.\nCtrl-C ends."
    );
    if arguments.open {
        serve::open(&address, root);
    }
    match changes {
        Ok(changes) => follow(&book, &changes),
        Err(error) => {
            eprintln!("saved files are not noticed: {error}");
            loop {
                std::thread::park();
            }
        }
    }
    Ok(())
}

/// Does what each save asks for.
fn follow(book: &Book, changes: &Changes) {
    let mut catalog = Catalog::load(&book.root);
    while let Some(saved) = changes.wait(&catalog) {
        // One that is saved alone is the one at hand. Many at once is a checkout, not an editor.
        if saved.exercises.len() == 1 {
            saved
                .exercises
                .iter()
                .for_each(|slug| book.jobs.saved(slug));
        } else if saved.progress || !saved.exercises.is_empty() {
            book.jobs.stale();
        }
        if saved.book {
            catalog = Catalog::load(&book.root);
            // Room on the disk can be made while this runs, so what the machine refuses is no reason to end now.
            if let Err(what) = rebuild(&book.root, &book.site, &book.hub) {
                _ = writeln!(io::stderr(), "\n{what}");
                book.hub.failed(what);
            }
        }
    }
}

/// From now on Ctrl-C, a hang-up or a request to terminate ends what this process started, and then this process, with
/// 128 plus the signal's number.
fn end_on_signals() {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .collect();
    // Threads that begin later inherit this; programs that are started do not.
    if signals.thread_block().is_ok() {
        std::thread::spawn(move || {
            if let Ok(signal) = signals.wait() {
                child::end_all();
                std::process::exit(128 + signal as i32);
            }
        });
    }
}

/// Builds once more. When the book is wrong, the last good one stays, and what is wrong is shown on each page.
///
/// A terminal that has gone is no reason to stop serving, so what cannot be printed is not.
///
/// # Errors
///
/// What the machine refuses.
fn rebuild(root: &Path, site: &build::Site, hub: &Hub) -> Result<(), String> {
    let start = Instant::now();
    match site.rebuild(root) {
        Ok(()) => {
            hub.built();
            _ = writeln!(io::stdout(), "built in {} ms", start.elapsed().as_millis());
        }
        Err(Failure::Book(what)) => {
            _ = writeln!(
                io::stderr(),
                "\n{what}\n\nThe book was not rebuilt. Mend this and save."
            );
            hub.failed(what);
        }
        Err(Failure::Machine(what)) => return Err(what),
    }
    Ok(())
}
