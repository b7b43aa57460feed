//! What is in an EPUB? The pages as XHTML, a list of all files, an order, and a table of contents: EPUB 3.3.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::flow::Target;
use super::zip::Zip;
use super::{Volume, entry};
use crate::markdown::escape;

const CONTAINER: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<container version=\"1.0\" xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\">\
<rootfiles><rootfile full-path=\"book/package.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>\n";

impl Volume {
    /// The book as the bytes of an EPUB file.
    ///
    /// # Errors
    ///
    /// As [`Volume::sheet`].
    pub fn epub(&self, contents: &str) -> Result<Vec<u8>, String> {
        let flows = self.flows(Target::Files)?;
        let mut zip = Zip::default();
        // A reader knows the file by this: the first, and not compressed.
        zip.add("mimetype", b"application/epub+zip");
        zip.add("META-INF/container.xml", CONTAINER.as_bytes());
        zip.add("book/style.css", self.style.as_bytes());
        let mut manifest = String::new();
        let mut spine = String::new();
        let mut list = String::new();
        for (at, flow) in flows.iter().enumerate() {
            let file = format!("{}.xhtml", flow.name);
            let title = flow
                .headings
                .first()
                .map_or("", |(_, _, title)| title.trim());
            zip.add(
                &format!("book/{file}"),
                self.document(title, &flow.xml).as_bytes(),
            );
            let drawn = if flow.xml.contains("<svg") {
                " properties=\"svg\""
            } else {
                ""
            };
            _ = writeln!(
                manifest,
                "<item id=\"page-{at}\" href=\"{}\" media-type=\"application/xhtml+xml\"{drawn}/>",
                escape(&file)
            );
            _ = writeln!(spine, "<itemref idref=\"page-{at}\"/>");
            list.push_str(&entry(flow, |id| format!("{file}#{id}")));
        }
        let nav = format!(
            "<nav epub:type=\"toc\" id=\"toc\"><h1>{}</h1>\n<ol>\n{list}</ol></nav>",
            escape(contents)
        );
        zip.add(
            "book/contents.xhtml",
            self.document(contents, &nav).as_bytes(),
        );
        let package = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" unique-identifier=\"id\" xml:lang=\"{language}\">\n\
             <metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<dc:identifier id=\"id\">runnable-sockets-{language}</dc:identifier>\n<dc:title>{title}</dc:title>\n\
             <dc:language>{language}</dc:language>\n<meta property=\"dcterms:modified\">{now}</meta>\n</metadata>\n<manifest>\n\
             <item id=\"contents\" href=\"contents.xhtml\" media-type=\"application/xhtml+xml\" properties=\"nav\"/>\n<item id=\"style\" href=\"style.css\" media-type=\"text/css\"/>\n\
             {manifest}</manifest>\n<spine>\n<itemref idref=\"contents\"/>\n{spine}</spine>\n</package>\n",
            language = escape(&self.language),
            title = escape(&self.title),
            now = time(now()),
        );
        zip.add("book/package.opf", package.as_bytes());
        Ok(zip.finish())
    }

    fn document(&self, title: &str, body: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:epub=\"http://www.idpf.org/2007/ops\" lang=\"{0}\" xml:lang=\"{0}\">\n\
             <head><meta charset=\"utf-8\"/><title>{1}</title><link rel=\"stylesheet\" href=\"style.css\"/></head>\n<body>\n{body}\n</body>\n</html>\n",
            escape(&self.language),
            escape(title),
        )
    }
}

/// Seconds since 1970; those of `SOURCE_DATE_EPOCH` for whoever wants the same file twice.
fn now() -> u64 {
    let given = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}

/// `2026-11-21T12:00:00Z`
fn time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March end with the day that is sometimes there.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day = shifted % 146_097;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_those_of_date() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(time(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
