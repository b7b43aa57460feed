//! `cargo book`: builds the book and shows it, rebuilt whenever one of its files is saved.

mod arguments;
mod build;
mod reload;
mod serve;
mod warnings;
mod watch;

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use arguments::Arguments;
use build::Failure;
use reload::Shown;

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
    if arguments.build {
        return build_only(
            &root,
            arguments.out.clone().unwrap_or_else(|| folder.join("site")),
        );
    }
    show(&root, &folder, arguments.port)
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

fn show(root: &Path, folder: &Path, port: u16) -> Result<(), String> {
    // Before the build, because a port that is taken need not wait for it.
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        let other = if port == 0 {
            ""
        } else {
            "; choose another with --port, or none and the kernel chooses"
        };
        format!("cannot listen on 127.0.0.1:{port}: {error}{other}")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| format!("cannot listen: {error}"))?;
    let site = build::Site::open(folder)?;
    let shown = Arc::new(Shown::default());
    // Watching begins before the first build, so that nothing saved meanwhile is missed.
    let changes = watch::watch(root);
    rebuild(root, &site, &shown)?;
    serve::start(listener, site.clone(), shown.clone())
        .map_err(|error| format!("cannot serve: {error}"))?;
    println!(
        "\n    http://{address}/\n\nThe book is rebuilt when you save one of its files. Ctrl-C ends."
    );

    let changes = changes.inspect_err(|error| eprintln!("saved files are not noticed: {error}"));
    match changes {
        Ok(changes) => {
            while changes.wait() {
                // Room on the disk can be made while this runs, so what the machine refuses is no reason to end now.
                if let Err(what) = rebuild(root, &site, &shown) {
                    _ = writeln!(io::stderr(), "\n{what}");
                    shown.failed(what);
                }
            }
        }
        Err(_) => loop {
            std::thread::park();
        },
    }
    Ok(())
}

/// Builds once more. When the book is wrong, the last good one stays, and what is wrong is shown on each page.
///
/// A terminal that has gone is no reason to stop serving, so what cannot be printed is not.
///
/// # Errors
///
/// What the machine refuses.
fn rebuild(root: &Path, site: &build::Site, shown: &Shown) -> Result<(), String> {
    let start = Instant::now();
    match site.rebuild(root) {
        Ok(()) => {
            shown.built();
            _ = writeln!(io::stdout(), "built in {} ms", start.elapsed().as_millis());
        }
        Err(Failure::Book(what)) => {
            _ = writeln!(
                io::stderr(),
                "\n{what}\n\nThe book was not rebuilt. Mend this and save."
            );
            shown.failed(what);
        }
        Err(Failure::Machine(what)) => return Err(what),
    }
    Ok(())
}
