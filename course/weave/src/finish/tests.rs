use super::*;
use crate::site;

/// A page as the theme has it, with `main` in it.
fn page(main: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\" data-root=\"\">\n<head>\n<title>Sockets - The book</title>\n<meta name=\"description\" content=\"General.\">\n\
         <script src=\"theme/page.js\"></script>\n<link rel=\"next\" href=\"05.html\">\n</head>\n<body>\n\
         <nav id=\"contents\"><ol class=\"chapter\"><li><a href=\"03-sockets.html\">Sockets</a></li></ol></nav>\n\
         <main id=\"text\">\n{main}<nav class=\"turn\"></nav>\n</main>\n\
         <script type=\"application/json\" id=\"modules\">{{\n\"part\": \"theme/part.js\"\n}}</script>\n</body>\n</html>\n"
    )
}

/// Finishes a site with one chapter's page of this text, and reads a file of it afterwards.
struct Site(tempfile::TempDir);

impl Site {
    fn of(main: &str) -> Site {
        let site = Site(tempfile::tempdir().expect("a folder"));
        site.write("03-sockets.html", &page(main));
        site.write("theme/page.js", "");
        site.write("theme/part.js", "");
        site.write(
            "05.html",
            &page("<p><a href=\"03-sockets.html#late\">x</a></p>"),
        );
        site.write("book-0123abcd.js", "mdBook's own");
        site.write("css/general.css", "mdBook's own");
        let catalog = catalog();
        let settings = Settings::new(Some("https://host.example/book".into()), None);
        finish(site.0.path(), &catalog, &settings).expect("finished");
        site
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn catalog() -> Catalog {
    // All that is needed of it is read here: the folder may go.
    let course = crate::tests::course();
    Catalog::load(course.path())
}

#[test]
fn a_page_gets_its_place_its_description_and_its_sections() {
    let sections = "<h2 id=\"s0\"><a class=\"header\" href=\"#s0\">One</a></h2><h2 id=\"s1\">Two <code>x</code></h2>\n\
        <h2 id=\"s2\">Three \"3\"</h2><h2 id=\"s3\">Four</h2>";
    let site = Site::of(&format!("<h1 id=\"a\">Sockets</h1>\n{sections}"));
    let html = site.read("03-sockets.html");
    assert!(
        html.contains("content=\"One · Two x · Three &quot;3&quot; · Four\">"),
        "{html}"
    );
    assert!(
        html.contains("<a href=\"03-sockets.html\" aria-current=\"page\">"),
        "{html}"
    );
    assert!(
        html.contains("<li><a href=\"#s1\">Two x</a></li>"),
        "{html}"
    );
    assert!(
        html.contains(
            "<link rel=\"canonical\" href=\"https://host.example/book/03-sockets.html\">"
        ),
        "{html}"
    );
    assert!(
        site.read("sitemap.xml")
            .contains("<loc>https://host.example/book/03-sockets.html</loc>")
    );
    assert!(
        !site.0.path().join("css").exists() && !site.0.path().join("book-0123abcd.js").exists()
    );
}

#[test]
fn code_gets_its_colors_and_can_be_scrolled() {
    let site = Site::of(
        "<pre><code class=\"language-rust ignore\">let a = \"&lt;\";\n\n// b\n</code></pre><pre><code>x</code></pre>",
    );
    let html = site.read("03-sockets.html");
    assert!(
        html.contains("<pre tabindex=\"0\"><code data-language=\"rust\"><span class=k>let</span> a = <span class=s>\"&lt;\"</span>;&#10;&#10;<span class=c>// b</span>&#10;</code></pre>"),
        "{html}"
    );
    assert!(html.contains("<pre tabindex=\"0\"><code>x"), "{html}");
}

/// A long chapter is two pages, and every link finds what it names.
#[test]
fn a_divided_chapter_stays_one_for_its_links() {
    let site = Site::of(
        "<h1 id=\"a\">Sockets</h1><h2 id=\"early\">E</h2><p><a href=\"#late\">l</a><button popovertarget=\"call-read\"></button></p>\
         <!-- page: 03-sockets-continued -->\n<h2 id=\"late\">L</h2><p><a href=\"#early\">e</a> <a href=\"#late\">l</a></p>\
         <div class=\"manual\" id=\"call-read\" popover>r</div>",
    );
    let (first, second) = (
        site.read("03-sockets.html"),
        site.read("03-sockets-continued.html"),
    );
    assert!(
        first.contains("href=\"03-sockets-continued.html#late\"")
            && first.contains("id=\"call-read\""),
        "{first}"
    );
    assert!(
        first.contains("data-continued=\"03-sockets-continued.html\""),
        "{first}"
    );
    assert!(!first.contains("id=\"late\""), "{first}");
    assert!(
        second.contains("href=\"03-sockets.html#early\"") && second.contains("href=\"#late\""),
        "{second}"
    );
    assert!(!second.contains("call-read"), "{second}");
    assert!(
        site.read("05.html")
            .contains("href=\"03-sockets-continued.html#late\"")
    );
    assert_eq!(site::check(site.0.path()).expect("readable"), []);
}

#[test]
fn claims_and_help_become_pages_and_links_follow_them() {
    let catalog = catalog();
    let chapter = catalog
        .chapters
        .iter()
        .find(|chapter| chapter.dir == "03-sockets")
        .expect("a chapter");
    let claim = chapter.claims.first().expect("a claim");
    let exercise = catalog
        .exercises_of(&chapter.dir)
        .next()
        .expect("an exercise");
    let (anchor, slug) = (claim.anchor(), &exercise.slug);
    let table = crate::claims::table(&catalog, chapter);
    let site = Site::of(&format!(
        "<h1 id=\"a\">Sockets</h1><p id=\"late\"><a href=\"#{anchor}\">mark</a></p><h2 id=\"on-trial\">T</h2>{table}\
         <article class=\"exercise\" data-exercise=\"{slug}\"><h3 id=\"exercise-{slug}\">E</h3><p><a href=\"05.html\">x</a></p>\
         <div class=\"help\" id=\"help-{slug}\"><details></details></div></article>"
    ));
    let html = site.read("03-sockets.html");
    assert!(
        html.contains(&format!("<a href=\"c/03.html#{anchor}\">mark</a>")),
        "{html}"
    );
    assert!(
        !html.contains("<table") && !html.contains("<details"),
        "{html}"
    );
    assert!(
        html.contains(&format!("<a href=\"e/{slug}.html#help-{slug}\">")),
        "{html}"
    );
    let claims = site.read("c/03.html");
    assert!(claims.contains(&format!("<tr id=\"{anchor}\"")), "{claims}");
    assert!(
        claims.contains("src=\"../theme/page.js\"")
            && claims.contains("\"part\": \"../theme/part.js\""),
        "{claims}"
    );
    assert!(
        site.read(&format!("c/{}.html", claim.id))
            .contains(&format!("url=03.html#{anchor}"))
    );
    let alone = site.read(&format!("e/{slug}.html"));
    assert!(
        alone.contains(&format!(
            "<h1 id=\"exercise-{slug}\">E</h1><p><a href=\"../05.html\">"
        )),
        "{alone}"
    );
    assert_eq!(site::check(site.0.path()).expect("readable"), []);
}

/// The page for unknown addresses is shown at any depth.
#[test]
fn links_of_the_page_for_unknown_addresses_begin_at_the_hosts_root() {
    let html = page("").replace("<head>", "<head>\n<base href=\"/book/\">");
    let html = parts::rooted(&html);
    assert!(
        !html.contains("<base") && html.contains("src=\"/book/theme/page.js\""),
        "{html}"
    );
    assert!(
        html.contains("data-root=\"/book/\"") && html.contains("\"part\": \"/book/theme/part.js\""),
        "{html}"
    );
}
