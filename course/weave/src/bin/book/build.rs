//! How is the book built in this process, and how does the last good one stay until the next is good?

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use crate::warnings;
use catalog::{Catalog, ENGLISH, Problems};
use mdbook_driver::MDBook;
use mdbook_driver::book::{Book, BookItem, Chapter};
use mdbook_driver::errors::{Error, Result as BookResult};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use weave::finish::{Settings, finish};
use weave::print::Volume;
use weave::{Options, Page, editions, search, site};

/// Why there is no new book. The text names everything that is wrong, one line each.
pub enum Failure {
    /// The authors' doing: they mend it and save.
    Book(String),
    /// The machine's doing: the disk is full, the folder is not ours.
    Machine(String),
}

impl Failure {
    pub fn text(self) -> String {
        match self {
            Failure::Book(text) | Failure::Machine(text) => text,
        }
    }
}

/// Builds the book of the course at `root` into `out` and checks every link of what was built.
///
/// What stood in `out` is gone afterwards, unless the book is wrong before it is written.
pub fn build(root: &Path, out: &Path) -> Result<(), Failure> {
    let (rendered, warnings) = warnings::heard(|| {
        // The English book is the site, and building it empties the folder.
        finished(root, out, ENGLISH)?;
        for language in Catalog::languages(root) {
            let folder = out.join(editions::folder(&language));
            finished(root, &folder, &language)?;
            // A site has one page for addresses that it does not know.
            fs::remove_file(folder.join("404.html")).map_err(unreadable)?;
        }
        Ok(())
    });
    rendered?;
    for language in Catalog::languages(root)
        .iter()
        .map(String::as_str)
        .chain([ENGLISH])
    {
        search::write(&out.join(editions::folder(language))).map_err(unreadable)?;
    }
    editions::link(root, out).map_err(unreadable)?;
    if !warnings.is_empty() {
        return Err(Failure::Book(warnings.join("\n")));
    }
    let problems = site::check(out).map_err(unreadable)?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Book(Problems(problems).to_string()))
    }
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::Machine(format!("the built book cannot be read: {error}"))
}

/// The book in one language as one file: every page as mdBook writes it, in `folder`, which is for nothing else.
pub fn volume(root: &Path, folder: &Path, language: &str) -> Result<Volume, Failure> {
    let (rendered, warnings) = warnings::heard(|| render(root, folder, language));
    let (book, _) = rendered?;
    if !warnings.is_empty() {
        return Err(Failure::Book(warnings.join("\n")));
    }
    let title = book.config.book.title.unwrap_or_default();
    Volume::read(folder, &root.join("book/theme/page.css"), &title, language).map_err(Failure::Book)
}

/// Builds the site in one language.
fn finished(root: &Path, out: &Path, language: &str) -> Result<(), Failure> {
    let (book, catalog) = render(root, out, language)?;
    let setting = |name: &str| -> Result<Option<String>, Failure> {
        let value = book.config.get(&format!("preprocessor.weave.{name}"));
        value.map_err(|error| Failure::Book(format!("book.toml: {error:#}")))
    };
    let folder = editions::folder(language).display().to_string();
    let address = setting("address")?
        .map(|address: String| format!("{}/{folder}", address.trim_end_matches('/')));
    let settings = Settings::new(address, setting("other-version")?);
    finish(out, &catalog, &settings)
        .map_err(|error| Failure::Machine(format!("the book cannot be written: {error}")))
}

/// Has mdBook write the book in one language.
fn render(root: &Path, out: &Path, language: &str) -> Result<(MDBook, Catalog), Failure> {
    let catalog = Catalog::load_in(root, language);
    let loaded = MDBook::load(root.join("book")).and_then(|mut book| {
        if language != ENGLISH {
            // The settings are the same but for these, so there is one book.toml.
            let settings = &mut book.config.book;
            language.clone_into(settings.language.get_or_insert_default());
            settings.src = Path::new(language).join("src");
            for text in [&mut settings.title, &mut settings.description]
                .into_iter()
                .flatten()
            {
                *text = catalog.words.say(text).to_owned();
            }
            book = MDBook::load_with_config(root.join("book"), book.config)?;
        }
        Ok(book)
    });
    let mut book = loaded.map_err(|error| Failure::Book(format!("book, {language}: {error:#}")))?;
    out.clone_into(&mut book.config.build.build_dir);
    // Takes the place of the command that book.toml names for a stock mdBook.
    book.with_preprocessor(Weave(catalog.clone()));
    book.build().map_err(|error| {
        let is_machines = error
            .chain()
            .any(|cause| cause.downcast_ref::<std::io::Error>().is_some());
        match error.downcast_ref::<Problems>() {
            Some(problems) => Failure::Book(problems.to_string()),
            None if is_machines => {
                Failure::Machine(format!("the book cannot be written: {error:#}"))
            }
            None => Failure::Book(format!("the book cannot be built: {error:#}")),
        }
    })?;
    Ok((book, catalog))
}

/// Refuses a folder whose files the build would remove and that it did not write.
pub fn check_out(out: &Path) -> Result<(), String> {
    let Ok(mut entries) = fs::read_dir(out) else {
        return Ok(());
    };
    // mdBook leaves this file in each book it writes.
    if entries.next().is_none() || out.join(".nojekyll").is_file() {
        return Ok(());
    }
    Err(format!(
        "{} holds other files, and building would remove them: name an empty or new folder",
        out.display()
    ))
}

struct Weave(Catalog);

impl Preprocessor for Weave {
    fn name(&self) -> &'static str {
        "weave"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> BookResult<Book> {
        let options = Options::from_settings(
            context.config.get("preprocessor.weave.source")?,
            context.config.get("output.html.git-repository-url")?,
        );
        let mut pages = Vec::new();
        each_page(&mut book.items, &mut |chapter, path| {
            pages.push(Page {
                path,
                text: chapter.content.clone(),
            });
        });
        let mut woven = weave::weave(&self.0, &options, &pages)
            .map_err(Error::new)?
            .into_iter();
        each_page(&mut book.items, &mut |chapter, _| {
            chapter.content = woven.next().unwrap_or_default();
        });
        Ok(book)
    }
}

/// Calls `with` for each page that is written, in the order of the book.
fn each_page(items: &mut [BookItem], with: &mut impl FnMut(&mut Chapter, PathBuf)) {
    for item in items {
        if let BookItem::Chapter(chapter) = item {
            if let Some(path) = chapter.source_path.clone() {
                with(chapter, path);
            }
            each_page(&mut chapter.sub_items, with);
        }
    }
}

/// The built book that is being served.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    /// Holds `site`, and while a build goes on `next`.
    folder: PathBuf,
    /// Held for writing while one book takes the place of another.
    swap: RwLock<()>,
    /// Held as long as this process lives: two of them must not build in one folder.
    _lock: File,
}

impl Site {
    /// Takes possession of the folder.
    pub fn open(folder: &Path) -> Result<Site, String> {
        let failed =
            |error: std::io::Error| format!("cannot write to {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "another `cargo book` is at work in {}: end that one first",
                    folder.display()
                ));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Site(Arc::new(Inner {
            folder,
            swap: RwLock::new(()),
            _lock: lock,
        })))
    }

    /// Builds anew, and puts the result in the old one's place if it is good.
    pub fn rebuild(&self, root: &Path) -> Result<(), Failure> {
        let (next, site) = (self.0.folder.join("next"), self.root());
        build(root, &next).inspect_err(|_| _ = fs::remove_dir_all(&next))?;
        let swapping = self
            .0
            .swap
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let removed = if site.exists() {
            fs::remove_dir_all(&site)
        } else {
            Ok(())
        };
        let swapped = removed.and_then(|()| fs::rename(&next, &site));
        drop(swapping);
        swapped.map_err(|error| {
            Failure::Machine(format!("cannot write to {}: {error}", site.display()))
        })
    }

    /// Reads a file of the book that `find` chooses, while no other book takes its place.
    pub fn read<T>(&self, find: impl FnOnce(&Path) -> T) -> T {
        let _reading = self
            .0
            .swap
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        find(&self.root())
    }

    fn root(&self) -> PathBuf {
        self.0.folder.join("site")
    }
}
