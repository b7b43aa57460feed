//! How does a number lie in memory, and on the wire? A table of its bytes, and a box to type another number into.

use std::fmt::Write;

use super::{Context, cells};
use crate::markdown::escape;

/// The figure. `book/theme/bytes.js` does the same sums for other numbers.
pub(super) fn figure(context: &Context, id: &str, number: u64, bits: u32) -> String {
    let count = bits as usize / 8;
    let big = &number.to_be_bytes()[8 - count..];
    let little: Vec<u8> = big.iter().rev().copied().collect();
    let misread = little
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let sizes = [16, 32, 64].map(|size| {
        let selected = if size == bits { " selected" } else { "" };
        format!("<option{selected}>{size}</option>")
    });
    let sizes = sizes.concat();
    let mut html = format!(
        "<figure class=\"diagram bytes\" id=\"{}\" data-module=\"bytes\">\n<div class=\"ask\">\
         <label>{} <input inputmode=\"numeric\" autocomplete=\"off\" spellcheck=\"false\" value=\"{number}\"></label>\
         <label>{} <select>{sizes}</select></label></div>\n\
         <table><caption class=\"visually-hidden\">{}</caption><tbody>\n",
        escape(id),
        escape(&context.say("Number")),
        escape(&context.say("Bits")),
        escape(&context.say("The bytes, in the order of their addresses")),
    );
    for (name, words, bytes) in [
        ("little", "in memory, little-endian host", &little[..]),
        ("big", "in memory, big-endian host", big),
        ("wire", "on the wire", big),
    ] {
        let bytes = bytes.iter().map(|byte| format!("{byte:02x}"));
        let cells = cells("<td>", "</td>", bytes);
        _ = writeln!(
            html,
            "<tr class=\"{name}\"><th scope=\"row\">{}</th>{cells}</tr>",
            escape(&context.say(words))
        );
    }
    html + &format!(
        "</tbody></table>\n<p class=\"sum\" role=\"status\">{} = 0x{number:0digits$x}; {} {misread} = 0x{misread:0digits$x}</p>\n</figure>",
        number,
        escape(&context.say("read in the other order:")),
        digits = count * 2,
    )
}
