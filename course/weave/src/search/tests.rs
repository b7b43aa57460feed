use super::*;

fn page(name: &str, main: &str) -> (String, String) {
    (
        name.to_owned(),
        format!("<nav>no</nav><main id=\"text\">{main}</main><footer>no</footer>"),
    )
}

fn book() -> Index {
    Index::of(&[
        page(
            "01-a",
            "<h1 id=\"a\">Start</h1><p>A server sets <code>SO_REUSEADDR</code>. <code>SO_REUSEADDR</code> &amp; more.</p>\
             <h2 id=\"on-trial\">On trial</h2><p><code>SO_REUSEADDR</code> SO_LINGER SO_LINGER half-close</p>",
        ),
        page(
            "02-b",
            "<h1 id=\"b\">Options</h1><h2 id=\"linger\">Lingering with <code>SO_LINGER</code></h2><p>It waits.</p>\
             <h2 id=\"close\">套接字</h2><p>三次握手，半关闭（half-close）。半个连接关闭了。握手三次</p><p>un<span>blo</span>cked</p><pre><code>let un_named = SIGPIPE; plain</code></pre><svg><text>hidden</text></svg>",
        ),
    ])
}

fn addresses(index: &Index, query: &str) -> Vec<String> {
    index
        .find(query)
        .into_iter()
        .map(|hit| hit.address)
        .collect()
}

#[test]
fn who_explains_a_name_comes_before_who_mentions_it() {
    let index = book();
    assert_eq!(
        addresses(&index, "SO_REUSEADDR"),
        ["01-a.html#a", "01-a.html#on-trial"]
    );
    assert_eq!(
        addresses(&index, "so_linger"),
        ["02-b.html#linger", "01-a.html#on-trial"]
    );
}

#[test]
fn chinese_is_found_as_it_stands_and_not_in_pieces() {
    let index = book();
    for found in ["握手", "三次握手", "半关闭", "手", "套接字 half-close"] {
        assert_eq!(addresses(&index, found), ["02-b.html#close"], "{found}");
    }
    // 关闭了 and 半关闭 are there, 半关闭了 is not.
    assert_eq!(addresses(&index, "半关闭了"), [""; 0]);
}

#[test]
fn parts_of_words_are_found_and_what_is_not_text_is_not() {
    let index = book();
    assert_eq!(addresses(&index, "block"), ["02-b.html#close"]);
    assert_eq!(addresses(&index, "blocked"), ["02-b.html#close"]);
    assert_eq!(addresses(&index, "sigpipe"), ["02-b.html#close"]);
    assert_eq!(addresses(&index, "plain"), [""; 0]);
    assert_eq!(addresses(&index, "hidden"), [""; 0]);
    assert_eq!(addresses(&index, "no"), [""; 0]);
    assert_eq!(addresses(&index, ""), [""; 0]);
}

#[test]
fn the_index_says_where_each_word_is() {
    let json = book().json();
    assert!(json.contains("so_linger 1A2O\\n"), "{json}");
    assert!(json.contains("[\"01-a\",\"Start\"]"), "{json}");
    assert_eq!(
        (base_36(0), base_36(36), base_36(71)),
        ("0".into(), "10".into(), "1z".into())
    );
}

#[test]
fn the_order_is_that_of_the_contents() {
    let html = "<a href=\"x.html\">x</a><nav id=\"contents\"><a href=\"b.html\">b</a><a href=\"a.html#c\">a</a></nav><nav id=\"turn\"><a href=\"z.html\">z</a></nav>";
    assert_eq!(read::order(html), ["b", "a"]);
}
