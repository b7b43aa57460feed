//! `cargo book --epub` and `cargo book --pdf`: the book as one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use catalog::{Catalog, ENGLISH};

use crate::arguments::Format;
use crate::build::{self, Failure};

/// What Chromium is called on different systems.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Writes the book as one file and says where it is.
///
/// # Errors
///
/// What is wrong in the book, one line each; what the machine refuses or lacks.
pub fn print(
    root: &Path,
    folder: &Path,
    format: Format,
    language: &str,
    out: Option<&Path>,
) -> Result<(), String> {
    let start = Instant::now();
    let languages = Catalog::languages(root);
    if language != ENGLISH && !languages.iter().any(|other| other == language) {
        let all: Vec<&str> = languages
            .iter()
            .map(String::as_str)
            .chain([ENGLISH])
            .collect();
        return Err(format!(
            "the book is not in `{language}`; it is in {}",
            all.join(", ")
        ));
    }
    let browser = match format {
        Format::Pdf => Some(
            browser()
                .ok_or("not run: needs chromium; on Debian and Ubuntu, `apt install chromium`")?,
        ),
        Format::Epub => None,
    };
    let ending = if browser.is_some() { "pdf" } else { "epub" };
    let name = format!("runnable-sockets-{language}.{ending}");
    let file = out.map_or_else(|| folder.join(name), Path::to_owned);
    let file =
        std::path::absolute(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let written = |error| format!("{} cannot be written: {error}", file.display());
    fs::create_dir_all(folder).map_err(written)?;
    // Another `cargo book` may be at work beside this one.
    let pages = folder.join(format!("pages-{}", std::process::id()));
    let volume = build::volume(root, &pages, language).map_err(Failure::text);
    _ = fs::remove_dir_all(&pages);
    let volume = volume?;
    let contents = Catalog::load_in(root, language)
        .words
        .say("Contents")
        .to_owned();
    match browser {
        None => fs::write(&file, volume.epub(&contents)?).map_err(written)?,
        Some(browser) => {
            let sheet = folder.join(format!("sheet-{}.html", std::process::id()));
            fs::write(&sheet, volume.sheet(&contents)?).map_err(written)?;
            let printed = to_pdf(&browser, &sheet, &file);
            _ = fs::remove_file(&sheet);
            printed?;
        }
    }
    println!(
        "wrote {} in {} ms; every link in it leads somewhere",
        file.display(),
        start.elapsed().as_millis()
    );
    Ok(())
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = BROWSERS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}

/// Has the browser print a page, with the page's headings as the file's outline.
fn to_pdf(browser: &Path, sheet: &Path, file: &Path) -> Result<(), String> {
    _ = fs::remove_file(file);
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--disable-gpu",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
    ]);
    if nix::unistd::geteuid().is_root() {
        // Chromium refuses to run as root with its sandbox; the page is our own and loads nothing.
        command.arg("--no-sandbox");
    }
    let profile = sheet.with_extension("profile");
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.arg(format!("--print-to-pdf={}", file.display()));
    command.arg(format!("file://{}", sheet.display()));
    let ran = command.output();
    _ = fs::remove_dir_all(&profile);
    let ran = ran.map_err(|error| format!("{} cannot be started: {error}", browser.display()))?;
    if ran.status.success() && fs::metadata(file).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let said = said.lines().last().unwrap_or("it said nothing");
    Err(format!("{} did not print: {said}", browser.display()))
}
