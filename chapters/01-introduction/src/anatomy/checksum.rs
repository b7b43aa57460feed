// ANCHOR: verdict
//! Did a bit change on the way? RFC 1071.

/// Adds all 16-bit words and the carries to it. With its checksum in it, what arrived
/// as it was sent gives ffff.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for word in parts.iter().flat_map(|part| part.chunks(2)) {
        // An odd last byte counts as if a zero stood behind it.
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// `right` or `wrong`, for parts of which all but the last have an even length.
pub(super) fn verdict(parts: &[&[u8]]) -> String {
    let right = sum(parts) == 0xffff;
    if right { "right" } else { "wrong" }.into()
}

/// The same for TCP, UDP and ICMPv6, which add the addresses, their number and their
/// length.
pub(super) fn verdict_with(pseudo_header: &[u8], segment: &[u8]) -> String {
    let length = (segment.len() as u32).to_be_bytes();
    verdict(&[pseudo_header, &length, segment])
}
// ANCHOR_END: verdict
