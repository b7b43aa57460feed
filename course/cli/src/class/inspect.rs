//! Can what was compiled reach the grader? Looks at the objects, not at the source: there every macro is expanded, and
//! every attribute has become a symbol or a section.
//!
//! The learner's crate is linked into the same program as the grader that judges it. What would let its code run before
//! the grader's, or in its place, leaves traces that no ordinary answer leaves:
//!
//! - a symbol of its own choosing (`#[no_mangle]`, `#[export_name]`, an allocator): it would take the place of the libc's
//!   or the lab's function of that name;
//! - a section of its own choosing (`#[link_section]`): `.init_array` is run before `main`;
//! - a resolver (`STT_GNU_IFUNC`): it is run by the dynamic linker, before `main`;
//! - a library or an object of its own choosing (`#[link]`).
//!
//! Two stages: the learner's own library, before anything is linked to it; and the grader with the library in it,
//! compared with the one that has the untouched exercise in it. Inline assembly can do all of that from inside a function
//! that the grader's own objects take over; [`assembly`] refuses its name in the source.

use std::collections::BTreeSet;

use object::read::archive::ArchiveFile;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, SectionFlags, SymbolFlags};

/// Sections that the compiler makes of ordinary code; also with a dot and more behind.
const ORDINARY: [&str; 13] = [
    "",
    ".bss",
    ".comment",
    ".data",
    ".eh_frame",
    ".gcc_except_table",
    ".group",
    ".llvmbc",
    ".note",
    ".rodata",
    ".tbss",
    ".tdata",
    ".text",
];

/// Sections of the object format itself.
const FORMAT: [&str; 4] = [".shstrtab", ".strtab", ".symtab", ".symtab_shndx"];

/// The way to the unwinder, in every object that unwinds.
const PERSONALITY: &str = "DW.ref.rust_eh_personality";

const STT_GNU_IFUNC: u8 = 10;
const SHT_ARRAYS: std::ops::RangeInclusive<u32> = 14..=16;
const IRELATIVE: [u32; 2] = [37, 1032];

/// How the compiler spells the crate in every symbol of it: `Cs4fqI2P2rA04_13network_order`.
///
/// Taken from the library of the untouched exercise; an answer's is the same, because it is compiled with the same options.
pub fn identity(rlib: &[u8], crate_name: &str) -> Option<String> {
    let spelled = format!("{}{crate_name}", crate_name.len());
    for (_, data) in members(rlib).ok()? {
        let Ok(file) = object::File::parse(data) else {
            continue;
        };
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            if let Some(at) = name.find(&spelled)
                && let Some(from) = name[..at].rfind("Cs")
                && name[from + 2..at].ends_with('_')
                && name[from + 2..at - 1]
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric())
            {
                return Some(name[from..at + spelled.len()].to_owned());
            }
        }
    }
    None
}

/// Looks at a learner's library. `identity` is the crate's, or `None` when the untouched exercise had no symbol.
///
/// # Errors
///
/// What gives it away, in a line.
pub fn library(rlib: &[u8], crate_name: &str, identity: Option<&str>) -> Result<(), String> {
    let spelled = format!("{}{crate_name}", crate_name.len());
    let own = identity.unwrap_or(&spelled);
    let unit = format!("{crate_name}-");
    let members = members(rlib)?;
    for (name, data) in members {
        if name == "lib.rmeta" {
            continue;
        }
        if !name.starts_with(&unit) || !name.ends_with(".rcgu.o") {
            return Err(format!("it brings an object of its own: {name} (#[link]?)"));
        }
        object_file(data, own)?;
    }
    Ok(())
}

fn members(rlib: &[u8]) -> Result<Vec<(String, &[u8])>, String> {
    let odd = |error: object::Error| format!("its library cannot be read: {error}");
    let archive = ArchiveFile::parse(rlib).map_err(odd)?;
    let mut members = Vec::new();
    for member in archive.members() {
        let member = member.map_err(odd)?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        members.push((name, member.data(rlib).map_err(odd)?));
    }
    Ok(members)
}

fn object_file(data: &[u8], own: &str) -> Result<(), String> {
    let odd = |error: object::Error| format!("its objects cannot be read: {error}");
    let file = object::File::parse(data).map_err(odd)?;
    for section in file.sections() {
        let name = section.name().map_err(odd)?;
        let base = name.strip_prefix(".rela").unwrap_or(name);
        let known = FORMAT.contains(&base)
            || base.starts_with(".debug_")
            || ORDINARY.iter().any(|one| {
                base.strip_prefix(one).is_some_and(|rest| {
                    rest.is_empty() || (!one.is_empty() && rest.starts_with('.'))
                })
            });
        let array = matches!(section.flags(), SectionFlags::Elf { .. })
            && section_type(&file, section.index()).is_some_and(|kind| SHT_ARRAYS.contains(&kind));
        if array || !known {
            return Err(format!(
                "it puts something into the section `{}` (#[link_section]): that could run before the grader does",
                printable(name)
            ));
        }
    }
    for symbol in file.symbols() {
        let name = symbol.name().map_err(odd)?;
        if let SymbolFlags::Elf { st_info, .. } = symbol.flags()
            && st_info & 0xf == STT_GNU_IFUNC
        {
            return Err(format!(
                "`{}` is resolved by code of its own before the grader runs (IFUNC)",
                printable(name)
            ));
        }
        let defined = symbol.is_definition() || symbol.is_common();
        if !defined || symbol.is_local() || name == PERSONALITY {
            continue;
        }
        if let Some(what) = foreign(name, own) {
            return Err(what);
        }
    }
    Ok(())
}

/// Why a symbol is not one that an ordinary item of the crate gets.
fn foreign(name: &str, own: &str) -> Option<String> {
    if name.starts_with("_R") && name.contains(own) {
        return None;
    }
    Some(if name.contains("___rustc") {
        "it replaces the allocator or another part of the runtime (#[global_allocator]?), which the grader runs on".to_owned()
    } else {
        format!(
            "it defines the symbol `{}` (#[no_mangle] or #[export_name]): that could take the place of a function that the grader calls",
            printable(name)
        )
    })
}

fn section_type(file: &object::File, index: object::SectionIndex) -> Option<u32> {
    use object::read::elf::SectionHeader;
    let object::File::Elf64(elf) = file else {
        return None;
    };
    let section = elf.elf_section_table().section(index).ok()?;
    Some(section.sh_type(elf.endian()))
}

/// What of a grader decides which code runs first, and which function a name means.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// Libraries that it asks for.
    needed: Vec<String>,
    /// Names that it leaves to the libraries.
    wanted: BTreeSet<String>,
    /// Names that it offers to them.
    offered: BTreeSet<String>,
    /// Names that it has.
    defined: BTreeSet<String>,
    /// Sections that are run, with their sizes.
    run: Vec<(String, u64)>,
    /// Resolvers that are run.
    resolvers: usize,
}

impl Program {
    /// Reads a grader.
    ///
    /// # Errors
    ///
    /// When it is no program for this machine.
    pub fn read(data: &[u8]) -> Result<Program, String> {
        use object::read::elf::{Dyn, FileHeader};
        let odd = |error: object::Error| format!("the grader's program cannot be read: {error}");
        let file = ElfFile64::<object::Endianness>::parse(data).map_err(odd)?;
        let endian = file.endian();
        let sections = file.elf_header().sections(endian, data).map_err(odd)?;
        let mut needed = Vec::new();
        if let Some((entries, link)) = sections.dynamic(endian, data).map_err(odd)? {
            let strings = sections.strings(endian, data, link).map_err(odd)?;
            for entry in entries {
                // DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_AUXILIARY, DT_FILTER: all that name a library or a way to one.
                if [1, 15, 29, 0x7fff_fffd, 0x7fff_ffff].contains(&entry.tag32(endian).unwrap_or(0))
                {
                    let name = entry.string(endian, strings).map_err(odd)?;
                    needed.push(printable(&String::from_utf8_lossy(name)));
                }
            }
        }
        let names = |symbols: &mut dyn Iterator<Item = (bool, bool, String)>, defined: bool| {
            symbols
                .filter(|(is_defined, is_local, _)| *is_defined == defined && !is_local)
                .map(|(.., name)| name.split('@').next().unwrap_or_default().to_owned())
                .filter(|name| !name.is_empty())
                .collect::<BTreeSet<String>>()
        };
        let all = |symbol: object::read::elf::ElfSymbol64<'_, '_, object::Endianness>| {
            let name =
                String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned();
            (symbol.is_definition(), symbol.is_local(), name)
        };
        let mut run = Vec::new();
        for section in file.sections() {
            let name = section.name().map_err(odd)?;
            if [".init", ".fini", ".ctors", ".dtors", ".interp", ".preinit"]
                .iter()
                .any(|one| name.starts_with(one))
            {
                run.push((printable(name), section.size()));
            }
        }
        let resolvers = file.dynamic_relocations().into_iter().flatten().filter(|(_, relocation)| {
            matches!(relocation.flags(), RelocationFlags::Elf { r_type } if IRELATIVE.contains(&r_type))
        });
        Ok(Program {
            needed,
            wanted: names(&mut file.dynamic_symbols().map(all), false),
            offered: names(&mut file.dynamic_symbols().map(all), true),
            defined: names(&mut file.symbols().map(all), true),
            run,
            resolvers: resolvers.count(),
        })
    }

    /// Compares a grader that has an answer in it with the one that has the untouched exercise in it.
    ///
    /// # Errors
    ///
    /// What the answer changed that no answer needs to, in a line.
    pub fn is_like(&self, reference: &Program) -> Result<(), String> {
        if let Some(name) = self
            .needed
            .iter()
            .find(|name| !reference.needed.contains(name))
        {
            return Err(format!(
                "it loads the library `{name}` into the grader (#[link])"
            ));
        }
        if self.run != reference.run || self.resolvers > reference.resolvers {
            return Err("it adds code that runs before or after the grader's main".to_owned());
        }
        if let Some(name) = self.defined.intersection(&reference.wanted).next() {
            return Err(format!(
                "it takes the place of the library's `{}`",
                printable(name)
            ));
        }
        if let Some(name) = self.offered.difference(&reference.offered).next() {
            return Err(format!(
                "it offers `{}` to the libraries that the grader uses",
                printable(name)
            ));
        }
        Ok(())
    }
}

/// Whether the source uses inline assembly: the word outside comments and texts, where it stands.
pub fn assembly(source: &str) -> Option<usize> {
    let mut line = 1;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => text(rest),
            '\'' => character(rest),
            c if c == '_' || c.is_alphabetic() => {
                let end = rest
                    .find(|c: char| c != '_' && !c.is_alphanumeric())
                    .unwrap_or(rest.len());
                let word = &rest[..end];
                let after = rest[end..].trim_start_matches('#');
                let hashes = rest.len() - end - after.len();
                if matches!(word, "asm" | "global_asm" | "naked_asm") {
                    return Some(line);
                }
                match word {
                    "r" | "br" | "cr" if after.starts_with('"') => {
                        end + hashes + raw_text(after, hashes)
                    }
                    "r" if hashes == 1 => end + 1,
                    _ => end,
                }
            }
            c => c.len_utf8(),
        };
        line += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    None
}

/// The length of a block comment; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw text from its first quote, with so many `#` around it. A `\` in it is itself.
fn raw_text(quoted: &str, hashes: usize) -> usize {
    let end = format!("\"{}", "#".repeat(hashes));
    quoted[1..]
        .find(&end)
        .map_or(quoted.len(), |at| 1 + at + end.len())
}

/// The length of an ordinary text in quotes, where `\` hides the quote behind it.
fn text(quoted: &str) -> usize {
    let mut escaped = false;
    for (at, c) in quoted.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    quoted.len()
}

/// The length of a character, or of the quote of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3.min(text.len())..].find('\'').map_or(1, |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

fn printable(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_crates_own_symbols_are_ordinary() {
        let own = "Csabc_5order";
        assert_eq!(foreign("_RNvCsabc_5order4wire", own), None);
        assert_eq!(
            foreign("_RINvNtCsx_4core3ptr4dropmECsabc_5order", own),
            None
        );
        assert!(
            foreign("write", own)
                .unwrap()
                .contains("`write` (#[no_mangle]")
        );
        assert!(foreign("_RNvCsdef_3lab6report", own).is_some());
        assert!(
            foreign("_RNvCsx_7___rustc12___rust_alloc", own)
                .unwrap()
                .contains("allocator")
        );
    }

    #[test]
    fn assembly_is_seen_where_it_is_code() {
        for (source, line) in [
            ("use std::arch::asm;", Some(1)),
            (
                "\n\nfn f() { unsafe { core::arch::r#asm!(\"nop\") } }",
                Some(3),
            ),
            ("// asm!\n/* asm /* asm */ asm */ fn f() {}", None),
            (
                "let a = \"asm\"; let b = r#\"asm \" asm\"#; let c = 'a';",
                None,
            ),
            (
                "fn f<'a>(x: &'a str) -> char { '\"' } global_asm!(\"\");",
                Some(1),
            ),
            ("let a = '\\''; asm!();", Some(1)),
            ("let a = r\"\\\"; asm!(); let b = \"\";", Some(1)),
            ("fn plasma(basm: u8) {}", None),
        ] {
            assert_eq!(assembly(source), line, "{source}");
        }
    }
}
