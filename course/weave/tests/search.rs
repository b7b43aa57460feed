//! The book's own index: is each thing found where it is explained, is nothing missed, and is the index small enough?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use weave::search::{self, Index};

/// A reader on a slow line waits for it once.
const MOST_BYTES: usize = 200 * 1024;

#[test]
fn what_is_sought_is_found_where_it_is_explained() {
    let site = tempfile::tempdir().expect("a temporary folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO_BIN_EXE_book"))
        .args(["--build", "--out"])
        .arg(site.path())
        .current_dir(&root)
        .output()
        .expect("run the program");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );

    let queries =
        std::fs::read_to_string(root.join("book/check/search.json")).expect("the queries");
    let queries: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&queries).expect("queries and places");
    for (language, queries) in &queries {
        let folder = site.path().join(weave::editions::folder(language));
        let index = search::write(&folder).expect("an index");
        for (query, expected) in queries {
            best_is(&index, query, expected);
            nothing_is_missed(&index, query);
        }
        // Without compression already.
        let bytes = index.json().len();
        assert!(
            bytes < MOST_BYTES * 2,
            "{language}: the index has {bytes} bytes"
        );
    }
}

/// Whoever has a name that is mentioned all over the book need not look further than the first three.
fn best_is(index: &Index, query: &str, expected: &str) {
    let hits = index.find(query);
    let first: Vec<&str> = hits
        .iter()
        .take(3)
        .map(|hit| hit.address.as_str())
        .collect();
    // A long chapter goes on on further pages, whose names begin as the first one's does.
    let (page, id) = expected.split_once('#').expect("a page and a section");
    let is_it = |address: &&str| address.starts_with(page) && address.ends_with(&format!("#{id}"));
    assert!(
        first.iter().any(is_it),
        "{query}: {first:?}, and not {expected}"
    );
}

/// What the index finds is what looking through the text finds. It may find more where names are only in listings.
fn nothing_is_missed(index: &Index, query: &str) {
    let parts: Vec<&str> = query.split(' ').collect();
    let found: BTreeSet<String> = index
        .find(query)
        .into_iter()
        .map(|hit| hit.address)
        .collect();
    let there: BTreeSet<String> = index.containing(&parts).into_iter().collect();
    let missed: Vec<_> = there.difference(&found).collect();
    assert!(missed.is_empty(), "{query}: {missed:?}");
}
