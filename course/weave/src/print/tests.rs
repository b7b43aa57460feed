use super::*;

fn volume(main: &str) -> Volume {
    let page = |name: &str, main: &str| Leaf {
        name: name.to_owned(),
        html: format!("<body><nav>no</nav><main id=\"text\">{main}</main></body>"),
    };
    Volume {
        title: "A & B".into(),
        language: "en".into(),
        style: style("/* == Text == */\np {}\n/* == Bar == */\nheader {}\n"),
        pages: vec![
            page("one", main),
            page(
                "two",
                "<h1 id=\"two\"><a class=\"header\" href=\"#two\">Two</a></h1><h2 id=\"more\">More</h2>",
            ),
        ],
    }
}

#[test]
fn a_page_becomes_xml_without_what_is_for_a_screen() {
    let main = "<h1 id=\"a\">A &lt; B</h1><p class=x hidden>see<br><a href=\"two.html#more\">there</a>&nbsp;<button class=\"call\">read</button><button>copy</button></p>\
                <svg viewBox=\"0 0 1 1\" aria-labelledby=\"t\"><title id=\"t\">T</title><path marker-end=\"url(#t)\" d=\"M0 0\"/></svg><pre>1\n2</pre>";
    let sheet = volume(main).sheet("Contents").expect("whole");
    for part in [
        "<h1 id=\"one--a\">A &lt; B</h1><p class=\"x\" hidden=\"hidden\">see<br/><a href=\"#two--more\">there</a>\u{a0}read</p>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\" aria-labelledby=\"one--t\"><title id=\"one--t\">T</title><path marker-end=\"url(#one--t)\" d=\"M0 0\"/></svg><pre>1\n2</pre>",
        "<h1 id=\"two--two\">Two</h1>",
        "<li><a href=\"#two--two\">Two</a><ol><li><a href=\"#two--more\">More</a></li></ol></li>",
        "p {}",
    ] {
        assert!(sheet.contains(part), "{part} is missing in\n{sheet}");
    }
    assert!(!sheet.contains("header {}") && !sheet.contains("copy"));
}

#[test]
fn what_leads_nowhere_or_is_not_closed_is_said() {
    let wrong = |main: &str| volume(main).sheet("Contents").expect_err("wrong");
    assert_eq!(
        wrong("<a href=\"two.html#no\">x</a>"),
        "one.html: the link `two.html#no` leads nowhere: no `two#no`"
    );
    assert!(wrong("<a href=\"three.html\">x</a>").contains("leads nowhere: no `that page`"));
    let other = volume("<a href=\"../one.html#a\" hreflang=\"en\">x</a>").sheet("Contents");
    assert!(other.expect("whole").contains("<a hreflang=\"en\">x</a>"));
    assert_eq!(wrong("<p><em>x</p>"), "one.html: </p> closes <em>");
    assert_eq!(wrong("<p>x"), "one.html: <p> is not closed");
}

#[test]
fn every_file_of_the_epub_is_listed() {
    let epub = volume("<h1 id=\"a\">A</h1>")
        .epub("Contents")
        .expect("whole");
    let text = String::from_utf8_lossy(&epub);
    assert!(epub[30..].starts_with(b"mimetypeapplication/epub+zip"));
    for part in [
        "href=\"one.xhtml\"",
        "href=\"two.xhtml\"",
        "<dc:title>A &amp; B</dc:title>",
        "<a href=\"two.xhtml#more\">More</a>",
    ] {
        assert!(text.contains(part), "{part}");
    }
}
