//! Which of the known names did the reader mean?

/// The names nearest to `wanted`, best first, three at most; none when nothing is near.
///
/// Near is: it begins with what was typed or holds it, or a few letters are wrong, missing or swapped.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (wanted.chars().count() / 3).max(2);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let apart = distance(wanted, name);
            let part = wanted.len() >= 3 && (name.contains(wanted) || wanted.contains(name));
            (apart <= allowed || part).then_some((if part { apart.min(1) } else { apart }, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many single letters must be put in, left out, changed or swapped with their neighbor to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Three rows of the table are enough: a swap looks back two.
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letter_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("raed", "read"), 1);
    }

    #[test]
    fn nearest_offers_the_best_first_and_nothing_far() {
        let known = [
            "short-reads",
            "network-order",
            "value-result",
            "short-writes",
        ];
        assert_eq!(nearest("short-raeds", known), ["short-reads"]);
        assert_eq!(nearest("short", known), ["short-reads", "short-writes"]);
        assert!(nearest("banana", known).is_empty());
    }
}
