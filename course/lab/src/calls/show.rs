//! How does a record of calls look in a message?

use crate::calls::CallRecord;
use crate::trace::Watch;

/// Lines that are shown of the beginning and of the end of a long record.
const FIRST: usize = 12;
const LAST: usize = 28;

/// The record under a heading; empty when nothing was called.
pub fn drawing(watch: &Watch) -> String {
    let (entries, dropped) = watch.entries();
    let records = entries.iter().filter_map(|e| CallRecord::new(e, watch));
    let records: Vec<CallRecord> = records.collect();
    if records.is_empty() {
        return String::new();
    }
    let mut shown = folded(&lines(&records));
    if dropped > 0 {
        // They are missing in the middle of what was kept.
        let middle = shown.len() / 2;
        shown.insert(
            middle,
            format!("{:>11}  … {dropped} calls that were not kept", ""),
        );
    }
    if shown.len() > FIRST + LAST {
        let left_out = shown.len() - FIRST - LAST;
        let note = format!("{:>11}  … {left_out} lines", "");
        shown.splice(FIRST..FIRST + left_out, [note]);
    }
    format!("  calls of {}:\n{}", watch.whose, shown.join("\n"))
}

/// A line for each call: when, which process, what, and what the check did to it.
fn lines(records: &[CallRecord]) -> Vec<(String, String)> {
    let several = records.iter().any(|r| r.process > 0);
    let mut known: Vec<((u32, i32), &str)> = Vec::new();
    let mut lines = Vec::new();
    for record in records {
        let time = format!("{:>8.1} ms", record.began.as_secs_f64() * 1e3);
        let process = match (several, record.process) {
            (false, _) => String::new(),
            (true, 0) => "        ".into(),
            (true, n) => format!("child {n} "),
        };
        let mut said = record.said();
        // What a descriptor is, where it first appears or has become something else.
        if let Some(fd) = record.fd
            && !record.what.is_empty()
        {
            let place = (record.process, fd);
            let before = known.iter_mut().find(|(p, _)| *p == place);
            let is_new = before.as_ref().is_none_or(|(_, what)| *what != record.what);
            if is_new {
                let number = fd.to_string();
                let start = record.name.len() + 1;
                if said[start..].starts_with(&number) {
                    said.insert_str(start + number.len(), &format!(" <{}>", record.what));
                }
                match before {
                    Some(entry) => entry.1 = &record.what,
                    None => known.push((place, &record.what)),
                }
            }
        }
        let mut text = format!("{process}{said} {}", record.came_to());
        if !record.effect.is_empty() {
            text += &format!("  ← {}", record.effect);
        }
        lines.push((time, text.trim_end().to_string()));
    }
    lines
}

/// The same call several times in a row is one line.
fn folded(lines: &[(String, String)]) -> Vec<String> {
    let mut shown = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let (time, text) = &lines[i];
        let same = lines[i..].iter().take_while(|(_, t)| t == text).count();
        let times = if same > 1 {
            format!("  ({same} times)")
        } else {
            String::new()
        };
        shown.push(format!("{time}  {text}{times}"));
        i += same;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_call_again_and_again_is_one_line() {
        let line = |text: &str| ("  0.1 ms".to_string(), text.to_string());
        let lines = [
            line("read(3) = 1"),
            line("read(3) = 1"),
            line("close(3) = 0"),
        ];
        assert_eq!(
            folded(&lines),
            ["  0.1 ms  read(3) = 1  (2 times)", "  0.1 ms  close(3) = 0"]
        );
    }
}
