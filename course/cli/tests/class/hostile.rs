//! Answers that reach for the grader. Each is refused, and the result says why.

use crate::room::Room;
use crate::support::RIGHT;

/// A name, what is added to a right answer, and what the reason says.
const FOES: [(&str, &str, &str); 14] = [
    (
        "init-array",
        "#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic EARLY: extern \"C\" fn() = early;\nextern \"C\" fn early() { std::process::exit(0) }",
        "section `.init_array` (#[link_section])",
    ),
    (
        "preinit-array",
        "#[used]\n#[unsafe(link_section = \".preinit_array\")]\nstatic EARLY: extern \"C\" fn() = early;\nextern \"C\" fn early() {}",
        "section `.preinit_array`",
    ),
    (
        "fini-array",
        "#[used]\n#[unsafe(link_section = \".fini_array.5\")]\nstatic LATE: extern \"C\" fn() = late;\nextern \"C\" fn late() {}",
        "section `.fini_array.5`",
    ),
    (
        "init-section",
        "#[unsafe(link_section = \".init\")]\npub fn early() {}",
        "section `.init`",
    ),
    (
        "in-a-generic",
        "pub fn hidden<T>() {\n#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic EARLY: extern \"C\" fn() = early;\nextern \"C\" fn early() {}\n}",
        "section `.init_array`",
    ),
    (
        "by-macro",
        "macro_rules! hide { ($a:ident) => { #[unsafe($a)] pub extern \"C\" fn getenv(_: *const u8) -> *const u8 { std::ptr::null() } } }\nhide!(no_mangle);",
        "the symbol `getenv`",
    ),
    (
        "no-mangle",
        "#[unsafe(no_mangle)]\npub extern \"C\" fn write(_: i32, _: *const u8, n: usize) -> usize { n }",
        "the symbol `write`",
    ),
    (
        "export-name",
        "#[unsafe(export_name = \"read\")]\npub extern \"C\" fn innocent() {}",
        "the symbol `read`",
    ),
    (
        "a-static",
        "#[unsafe(no_mangle)]\npub static environ: usize = 0;",
        "the symbol `environ`",
    ),
    (
        "as-if-mangled",
        "#[unsafe(export_name = \"_RNvNtCsabc_3lab6report5write\")]\npub extern \"C\" fn innocent() {}",
        "the symbol `_RNvNtCsabc_3lab6report5write`",
    ),
    (
        "allocator",
        "struct Own;\nunsafe impl std::alloc::GlobalAlloc for Own {\nunsafe fn alloc(&self, l: std::alloc::Layout) -> *mut u8 { unsafe { std::alloc::System.alloc(l) } }\n\
         unsafe fn dealloc(&self, p: *mut u8, l: std::alloc::Layout) { unsafe { std::alloc::System.dealloc(p, l) } }\n}\n\
         #[global_allocator]\nstatic OWN: Own = Own;",
        "replaces the allocator",
    ),
    (
        "global-assembly",
        "std::arch::global_asm!(\".globl write\", \"write: ret\");",
        "src/lib.rs:5: it uses inline assembly",
    ),
    (
        "assembly-in-a-generic",
        "pub fn hidden<T>() { use std::arch::asm as innocent; unsafe { innocent!(\".pushsection .init_array\", \".popsection\") } }",
        "inline assembly",
    ),
    (
        "library",
        "#[link(name = \"resolv\")]\nunsafe extern \"C\" { fn ns_name_ntop(); }\npub fn reach() -> usize { ns_name_ntop as *const () as usize }",
        "",
    ),
];

#[test]
fn none_passes_and_each_is_told_why() {
    let room = Room::new();
    for (name, foe, _) in FOES {
        room.hands_in(name, "src/lib.rs", &format!("{RIGHT}\n{foe}\n"));
    }
    room.hands_in(
        "handler",
        "src/lib.rs",
        &format!("{RIGHT}\npub extern \"C\" fn on_signal(_: i32) {{}}\n"),
    );
    let Some(ran) = room.grade("") else { return };
    for (name, _, why) in FOES {
        if why.is_empty() {
            continue;
        }
        room.is(name, "refused", 0, why);
        assert!(
            ran.out.contains(&format!("refused {name}: order: ")),
            "{}",
            ran.out
        );
    }
    // Ordinary code is not taken for a foe.
    room.is("handler", "passed", 3, "");
}

#[test]
fn nothing_of_the_machine_is_seen() {
    let room = Room::new();
    let path = room.course.path("solutions/03-sockets/order/src/lib.rs");
    room.hands_in("solution", "src/lib.rs", &format!("include!({path:?});\n"))
        .hands_in("relative", "src/lib.rs", "include!(\"../../../../solutions/03-sockets/order/src/lib.rs\");\n")
        .hands_in("path", "src/lib.rs", "#[path = \"../../../../solutions/03-sockets/order/src/lib.rs\"]\nmod it;\npub use it::wire;\n")
        .hands_in("secret", "src/lib.rs", &format!("{RIGHT}\nconst S: &str = include_str!(\"/etc/hostname\");\n"))
        .hands_in("other", "src/lib.rs", &format!("include!({:?});\n", room.path("right").join("src/lib.rs")))
        .hands_in("variable", "src/lib.rs", &format!("{RIGHT}\nconst S: &str = env!(\"CARGO_TARGET_DIR\");\n"))
        .hands_in("right", "src/lib.rs", RIGHT);
    if room.grade("").is_none() {
        return;
    }
    for student in [
        "solution", "relative", "path", "secret", "other", "variable",
    ] {
        room.is(student, "does-not-compile", 0, "it does not compile: error");
    }
    room.is("right", "passed", 3, "");
}
