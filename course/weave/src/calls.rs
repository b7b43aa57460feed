//! What does a system call in a listing do, in a few words?
//!
//! `book/calls.toml` says it, in our own words: one `[[call]]` each, with `name`, `section` of the manual, `signature`,
//! `says`, and `errors`, a table from an error's name to when it comes. `book/LANGUAGE/calls.toml` may say `says` and
//! `errors` of a call again in another language.
//!
//! A call is marked where a listing first makes it: a button that opens a card. That needs no script.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use catalog::{Catalog, ENGLISH};
use toml::Table;

use crate::Problem;
use crate::markdown::{escape, inline};

/// The calls that are described.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_name: BTreeMap<String, Call>,
    whole_page: String,
}

#[derive(Debug, Clone)]
struct Call {
    section: u8,
    signature: String,
    says: String,
    errors: Vec<(String, String)>,
}

impl Calls {
    /// Reads the descriptions in the catalog's language. Without `book/calls.toml` there are none.
    pub fn load(catalog: &Catalog, problems: &mut Vec<Problem>) -> Calls {
        let file = Path::new("book/calls.toml");
        let mut calls = Calls {
            whole_page: catalog.words.say("The whole page of the manual").to_owned(),
            ..Calls::default()
        };
        for table in tables(&catalog.root, file, problems) {
            match call(&table) {
                Ok((name, call)) => {
                    if calls.by_name.insert(name.clone(), call).is_some() {
                        problems.push(Problem::of(file, format!("`{name}` stands twice")));
                    }
                }
                Err(what) => problems.push(Problem::of(file, what)),
            }
        }
        if catalog.language != ENGLISH {
            let file = PathBuf::from("book")
                .join(&catalog.language)
                .join("calls.toml");
            for table in tables(&catalog.root, &file, problems) {
                if let Err(what) = calls.translate(&table) {
                    problems.push(Problem::of(&file, what));
                }
            }
        }
        calls
    }

    fn translate(&mut self, table: &Table) -> Result<(), String> {
        let name = text(table, "name")?;
        let call = self
            .by_name
            .get_mut(&name)
            .ok_or_else(|| format!("book/calls.toml has no `{name}`"))?;
        call.says = text(table, "says")?;
        let ours: BTreeMap<String, String> = errors(table)?.into_iter().collect();
        for (error, when) in &mut call.errors {
            if let Some(text) = ours.get(error) {
                when.clone_from(text);
            }
        }
        Ok(())
    }

    /// Marks for a listing of a file.
    pub fn marks<'a>(&'a self, file: &str, code: &'a str) -> Marks<'a> {
        Marks {
            calls: self,
            imported: imported(file),
            code,
            done: HashSet::new(),
        }
    }

    /// The cards of all calls that are marked on a page, as a block of HTML for its end.
    pub fn manual(&self, page: &str) -> String {
        let names: BTreeSet<&str> = page
            .match_indices("popovertarget=\"call-")
            .filter_map(|(at, found)| page[at + found.len()..].split('"').next())
            .collect();
        let mut html = String::new();
        for name in names {
            let Some(call) = self.by_name.get(name) else {
                continue;
            };
            let section = call.section;
            _ = write!(
                html,
                "<div class=\"manual\" id=\"call-{name}\" popover><p class=\"name\">{name}({section})</p><p class=\"signature\"><code>{}</code></p><p>{}</p>",
                escape(&call.signature),
                inline(&call.says),
            );
            if !call.errors.is_empty() {
                html.push_str("<dl>");
                for (error, when) in &call.errors {
                    _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(error), inline(when));
                }
                html.push_str("</dl>");
            }
            _ = write!(
                html,
                "<p class=\"read\"><a href=\"https://man7.org/linux/man-pages/man{section}/{name}.{section}.html\">{}</a></p></div>",
                escape(&self.whole_page)
            );
        }
        if html.is_empty() {
            html
        } else {
            format!("\n\n{html}\n")
        }
    }
}

/// Marks the calls of one listing, each once.
pub(crate) struct Marks<'a> {
    calls: &'a Calls,
    imported: HashSet<String>,
    code: &'a str,
    done: HashSet<String>,
}

impl Marks<'_> {
    /// The button for a called function whose name begins at `at`, if it is a system call's and its first.
    pub fn mark(&mut self, name: &str, at: usize) -> Option<String> {
        let is_call = self.calls.by_name.contains_key(name)
            && is_foreign(&self.imported, self.code, name, at)
            && self.done.insert(name.to_owned());
        is_call.then(|| {
            format!("<button class=\"call\" type=\"button\" popovertarget=\"call-{name}\">{name}</button>")
        })
    }
}

/// Whether the function that is called at `at` is libc's or nix's, and not one of the chapter's that has the same name.
fn is_foreign(imported: &HashSet<String>, code: &str, name: &str, at: usize) -> bool {
    match code[..at].strip_suffix("::") {
        Some(before) => {
            let module = before
                .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or("");
            // A type's functions are not calls: `Errno::last()`.
            module == "libc"
                || (imported.contains(module) && module.starts_with(char::is_lowercase))
        }
        None => imported.contains(name),
    }
}

/// All names that a file takes from libc and nix, or declares as C's, but for those of its own functions.
fn imported(file: &str) -> HashSet<String> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.map(str::to_owned).collect()
    };
    let mut names = HashSet::new();
    for (at, _) in file.match_indices("use ") {
        let rest = &file[at + 4..];
        if rest.starts_with("nix::") || rest.starts_with("libc::") {
            names.extend(words(rest.split(';').next().unwrap_or("")));
        }
    }
    let mut rest = file;
    let mut own = String::new();
    while let Some((before, after)) = rest.split_once("extern \"C\" {") {
        let (block, after) = after.split_once("\n}").unwrap_or((after, ""));
        own.push_str(before);
        names.extend(functions(block));
        rest = after;
    }
    own.push_str(rest);
    for name in functions(&own) {
        names.remove(&name);
    }
    names
}

/// The functions that a text defines or declares.
fn functions(text: &str) -> Vec<String> {
    let after = text.split("fn ").skip(1);
    let names = after.map(|rest| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    });
    names.collect()
}

/// The `[[call]]` tables of a file; none when there is no such file.
fn tables(root: &Path, file: &Path, problems: &mut Vec<Problem>) -> Vec<Table> {
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return Vec::new();
    };
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let what = error.message().to_owned();
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            problems.push(Problem::on(file, line, what));
            return Vec::new();
        }
    };
    let calls = table.get("call").and_then(toml::Value::as_array);
    calls
        .into_iter()
        .flatten()
        .filter_map(|call| call.as_table().cloned())
        .collect()
}

fn call(table: &Table) -> Result<(String, Call), String> {
    let name = text(table, "name")?;
    let section = table.get("section").and_then(toml::Value::as_integer);
    let section = section
        .filter(|section| (2..=3).contains(section))
        .ok_or_else(|| format!("`{name}`: its section of the manual is 2 or 3"))?;
    let call = Call {
        section: section as u8,
        signature: text(table, "signature")?,
        says: text(table, "says")?,
        errors: errors(table)?,
    };
    Ok((name, call))
}

fn text(table: &Table, key: &str) -> Result<String, String> {
    let of = table
        .get("name")
        .and_then(toml::Value::as_str)
        .unwrap_or("a call");
    let text = table.get(key).and_then(toml::Value::as_str);
    text.filter(|text| !text.trim().is_empty())
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| format!("`{of}` has no `{key}`, or it is no text"))
}

fn errors(table: &Table) -> Result<Vec<(String, String)>, String> {
    let errors = table.get("errors").and_then(toml::Value::as_table);
    errors
        .into_iter()
        .flatten()
        .map(|(error, when)| {
            let when = when.as_str().ok_or_else(|| {
                format!(
                    "`{error}` of `{}` is no text",
                    text(table, "name").unwrap_or_default()
                )
            })?;
            Ok((error.clone(), when.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::highlight::{Class, tokens};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn a_call_is_told_from_a_function_of_the_same_name() {
        let file = "use nix::sys::socket::{self, accept, bind};\nuse crate::mine::listen;\n";
        let code =
            "accept(x); socket::connect(y); libc::read(z); listen(a); own::bind(b); accept(again)";
        let mut calls = Calls::default();
        for name in ["accept", "connect", "read", "listen", "bind"] {
            let call = Call {
                section: 2,
                signature: "s".into(),
                says: "<b>".into(),
                errors: Vec::new(),
            };
            calls.by_name.insert(name.into(), call);
        }
        let mut marks = calls.marks(file, code);
        let html = crate::highlight::html_with("rust", code, |name, at| marks.mark(name, at));
        let marked: Vec<&str> = html
            .match_indices("popovertarget=\"call-")
            .map(|(at, found)| html[at + found.len()..].split('"').next().unwrap_or(""))
            .collect();
        assert_eq!(marked, ["accept", "connect", "read"]);
        let manual = calls.manual(&html);
        assert!(
            manual.contains("id=\"call-read\" popover") && !manual.contains("<b>"),
            "{manual}"
        );
        assert_eq!(calls.manual("nothing"), "");
    }

    /// Every function of libc's and nix's that a chapter calls is described, and nothing is described in vain.
    #[test]
    fn every_call_of_the_chapters_is_described() {
        // Not calls: they look at a number that a call has left, or at what a type holds.
        const NOT_CALLS: [&str; 1] = ["try_from"];
        let catalog = Catalog::load(&root());
        let mut problems = Vec::new();
        let calls = Calls::load(&catalog, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let mut used = BTreeSet::new();
        let mut folders: Vec<PathBuf> = catalog
            .chapters
            .iter()
            .map(|chapter| root().join(&chapter.path).join("src"))
            .collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let names = imported(&text);
                let mut at = 0;
                for (class, piece) in tokens("rust", &text) {
                    if class == Class::Call
                        && is_foreign(&names, &text, piece, at)
                        && !NOT_CALLS.contains(&piece)
                    {
                        used.insert(piece.to_owned());
                    }
                    at += piece.len();
                }
            }
        }
        let missing: Vec<&String> = used
            .iter()
            .filter(|name| !calls.by_name.contains_key(*name))
            .collect();
        assert!(missing.is_empty(), "book/calls.toml lacks {missing:?}");
        let vain: Vec<&String> = calls
            .by_name
            .keys()
            .filter(|name| !used.contains(*name))
            .collect();
        assert!(
            vain.is_empty(),
            "no chapter calls {vain:?}: take them out of book/calls.toml"
        );
        for (name, call) in &calls.by_name {
            let words = call.says.split_whitespace().count();
            assert!(
                (6..=60).contains(&words),
                "{name} is described in {words} words"
            );
            assert!(
                call.signature.contains(&format!("{name}(")),
                "{name}: {}",
                call.signature
            );
        }
    }
}
