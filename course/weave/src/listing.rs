//! Which lines does a listing show, and how are they run?

use std::path::{Component, Path};

use catalog::{Catalog, nearest};

use crate::calls::Calls;
use crate::highlight;
use crate::markdown::escape;

/// A listing, cut out of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The lines, dedented, without the lines that mark anchors.
    pub code: String,
    /// First and last line in the file, counted from 1.
    pub lines: (usize, usize),
    /// Every line of the file that is shown.
    pub shown: Vec<usize>,
}

/// A line that marks where an anchor begins or ends.
pub(crate) enum Mark<'l> {
    Begin(&'l str),
    End(&'l str),
}

/// Whether a line is `// ANCHOR: name` or `// ANCHOR_END: name`.
pub(crate) fn mark(line: &str) -> Option<Mark<'_>> {
    let comment = line.trim_start().strip_prefix("//")?.trim();
    if let Some(name) = comment.strip_prefix("ANCHOR:") {
        return Some(Mark::Begin(name.trim()));
    }
    comment
        .strip_prefix("ANCHOR_END:")
        .map(|name| Mark::End(name.trim()))
}

/// Reads a file of the course and cuts the listing out of it.
pub(crate) fn cut(catalog: &Catalog, path: &str, anchor: Option<&str>) -> Result<Listing, String> {
    check_place(catalog, path)?;
    let text = std::fs::read_to_string(catalog.at(path))
        .map_err(|error| format!("{path} cannot be read: {error}"))?;
    cut_text(&text, path, anchor)
}

/// A listing's file must belong to a crate that cargo builds.
fn check_place(catalog: &Catalog, path: &str) -> Result<(), String> {
    let parts: Vec<Component> = Path::new(path).components().collect();
    if !parts
        .iter()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(format!(
            "`{path}` must be a plain path from the repository's root"
        ));
    }
    let names: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.as_os_str().to_str())
        .collect();
    let (package, inside) = match names[..] {
        ["chapters" | "course", _, ref inside @ ..] => (names[..2].join("/"), inside),
        ["exercises", _, _, ref inside @ ..] => (names[..3].join("/"), inside),
        ["solutions", ..] => {
            return Err(format!(
                "`{path}` would give an answer away: show a chapter's code"
            ));
        }
        _ => {
            return Err(format!(
                "`{path}` is in no crate: a listing comes from chapters/, course/ or exercises/"
            ));
        }
    };
    if !catalog.at(&package).join("Cargo.toml").is_file() {
        return Err(format!("there is no crate {package}: it has no Cargo.toml"));
    }
    let ["src" | "tests" | "benches" | "examples", .., file] = inside else {
        return Err(format!(
            "cargo does not build `{path}`: a listing is in src/, tests/, benches/ or examples/"
        ));
    };
    if file.strip_suffix(".rs").is_none() {
        return Err(format!(
            "`{path}` is not Rust: a listing is a part of a program that compiles"
        ));
    }
    if !catalog.at(path).is_file() {
        return Err(format!("there is no {path}"));
    }
    if is_module(inside) && !is_declared(&catalog.at(&package), inside) {
        return Err(format!(
            "cargo does not build `{path}`: no file of its crate has `mod {};`",
            module(inside)
        ));
    }
    Ok(())
}

/// Whether a file is reached only through a `mod`, and not by cargo itself.
fn is_module(inside: &[&str]) -> bool {
    !matches!(
        inside,
        ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "benches" | "examples", _]
    )
}

/// The name of a file's module: `a/b.rs` and `a/b/mod.rs` are `b`.
fn module<'p>(inside: &[&'p str]) -> &'p str {
    match inside {
        [.., dir, "mod.rs"] => dir,
        [.., file] => file.trim_end_matches(".rs"),
        [] => "",
    }
}

fn is_declared(package: &Path, inside: &[&str]) -> bool {
    let declaration = format!("mod {};", module(inside));
    let file = format!("{}\"]", inside[inside.len() - 1]);
    let mut folders = vec![package.join(inside[0])];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path)
                && (text.contains(&declaration) || text.contains(&file))
            {
                return true;
            }
        }
    }
    false
}

fn cut_text(text: &str, path: &str, anchor: Option<&str>) -> Result<Listing, String> {
    let lines: Vec<&str> = text.lines().collect();
    let (first, end) = match anchor {
        Some(anchor) => range_of(&lines, path, anchor)?,
        None => (0, lines.len()),
    };
    let mut shown: Vec<usize> = (first..end)
        .filter(|&at| mark(lines[at]).is_none())
        .collect();
    let blank = |at: &usize| lines[*at].trim().is_empty();
    let from = shown
        .iter()
        .position(|at| !blank(at))
        .unwrap_or(shown.len());
    let to = shown
        .iter()
        .rposition(|at| !blank(at))
        .map_or(from, |at| at + 1);
    shown = shown[from..to].to_vec();
    let (Some(&from), Some(&to)) = (shown.first(), shown.last()) else {
        return Err(match anchor {
            Some(anchor) => {
                format!("the listing is empty: anchor `{anchor}` of {path} holds no line")
            }
            None => format!("the listing is empty: {path} holds no line"),
        });
    };
    let indent = shown
        .iter()
        .filter(|at| !blank(at))
        .map(|&at| indent_of(lines[at]))
        .min()
        .unwrap_or(0);
    let code: Vec<&str> = shown
        .iter()
        .map(|&at| lines[at].get(indent..).unwrap_or("").trim_end())
        .collect();
    Ok(Listing {
        code: code.join("\n"),
        lines: (from + 1, to + 1),
        shown: shown.into_iter().map(|at| at + 1).collect(),
    })
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The lines between an anchor's marks, counted from 0.
fn range_of(lines: &[&str], path: &str, anchor: &str) -> Result<(usize, usize), String> {
    let mut begin = None;
    let mut end = None;
    let mut names = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let (place, name) = match mark(line) {
            Some(Mark::Begin(name)) => {
                names.push(name);
                (&mut begin, name)
            }
            Some(Mark::End(name)) => (&mut end, name),
            None => continue,
        };
        if name == anchor
            && let Some(earlier) = place.replace(at)
        {
            return Err(format!(
                "anchor `{anchor}` stands twice in {path}: on lines {} and {}",
                earlier + 1,
                at + 1
            ));
        }
    }
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => Ok((begin + 1, end)),
        (Some(begin), None) => Err(format!(
            "anchor `{anchor}` is not closed: {path}:{} has no `// ANCHOR_END: {anchor}`",
            begin + 1
        )),
        (_, Some(end)) => Err(format!(
            "anchor `{anchor}` ends before it begins: {path}:{}",
            end + 1
        )),
        (None, None) => {
            let near = nearest(anchor, names.iter().copied());
            let hint = match near.first() {
                Some(near) => format!("; did you mean `{near}`?"),
                None if names.is_empty() => "; it has none at all".to_owned(),
                None => format!("; it has {}", names.join(", ")),
            };
            Err(format!("there is no anchor `{anchor}` in {path}{hint}"))
        }
    }
}

/// The listing as a figure: where it is from and how to run it, and the code, in one line of HTML.
pub(crate) fn figure(
    catalog: &Catalog,
    calls: &Calls,
    source: Option<&str>,
    path: &str,
    listing: &Listing,
) -> String {
    let (first, last) = listing.lines;
    let lines = if first == last {
        first.to_string()
    } else {
        format!("{first}–{last}")
    };
    let path_html = escape(path);
    let place = match source {
        Some(base) => format!(
            "<a href=\"{}{path_html}#L{first}-L{last}\">{path_html}</a>",
            escape(base)
        ),
        None => format!("<span class=\"path\">{path_html}</span>"),
    };
    let file = std::fs::read_to_string(catalog.at(path)).unwrap_or_default();
    let mut marks = calls.marks(&file, &listing.code);
    let code = highlight::html_with("rust", &listing.code, |name, at| marks.mark(name, at));
    format!(
        "<figure class=\"listing\"><figcaption><span class=\"place\">{place} <span class=\"lines\">{lines}</span></span> \
         <span class=\"command\"><code class=\"run\">{}</code></span></figcaption>\
         <pre tabindex=\"0\"><code data-language=\"rust\">{code}</code></pre></figure>",
        escape(&how_to_run(catalog, path)),
    )
}

/// The command that builds and runs the file, as far as there is one.
fn how_to_run(catalog: &Catalog, path: &str) -> String {
    let path = Path::new(path);
    let chapter = catalog
        .chapters
        .iter()
        .find(|chapter| path.starts_with(&chapter.path));
    let program = chapter.and_then(|chapter| {
        chapter.programs.iter().find(|program| {
            // A program in a folder of its own has modules beside its main file.
            program.file == path
                || (program.file.ends_with("main.rs")
                    && path.starts_with(program.file.parent().unwrap_or(path)))
        })
    });
    if let Some(program) = program {
        return format!("cargo run --bin {}", program.name);
    }
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let package = match (chapter, &parts[..]) {
        (Some(chapter), _) => chapter.package.as_str(),
        (None, ["exercises", _, slug, ..]) => slug,
        (None, ["course", "cli", ..]) => "course",
        (None, [_, name, ..]) => name,
        _ => "",
    };
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("");
    match parts[..] {
        [.., "tests", _] => format!("cargo test -p {package} --test {name}"),
        [.., "benches", _] => format!("cargo bench -p {package} --bench {name}"),
        [.., "examples", _] => format!("cargo run -p {package} --example {name}"),
        _ => format!("cargo test -p {package}"),
    }
}
