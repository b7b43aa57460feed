"""Is an EPUB whole? python3 epub.py FILE...

Every file is listed and every listed file is there, all are well-formed XML, no id stands twice, and each link that
stays in the book leads to an id that exists. It needs nothing but Python.
"""

import posixpath
import sys
import zipfile
from xml.etree import ElementTree

PACKAGE = "{http://www.idpf.org/2007/opf}"


def wrong_in(file):
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    if names[0] != "mimetype" or archive.read("mimetype") != b"application/epub+zip":
        yield "it does not begin with its type"
    if archive.testzip():
        yield "a file in it is damaged"
    package = ElementTree.fromstring(archive.read("book/package.opf"))
    listed = {item.get("id"): "book/" + item.get("href") for item in package.iter(PACKAGE + "item")}
    inside = {name for name in names if name.startswith("book/")} - {"book/package.opf"}
    for name in inside ^ set(listed.values()):
        yield f"{name} is not both listed and there"
    for reference in package.iter(PACKAGE + "itemref"):
        if reference.get("idref") not in listed:
            yield f"the order names {reference.get('idref')}, which is not listed"
    pages = {name: ElementTree.fromstring(archive.read(name)) for name in names if name.endswith(".xhtml")}
    ids = {name: [part.get("id") for part in page.iter() if part.get("id")] for name, page in pages.items()}
    for name, page in pages.items():
        for twice in {one for one in ids[name] if ids[name].count(one) > 1}:
            yield f"{name}: the id {twice} stands twice"
        for link in filter(None, (part.get("href") for part in page.iter())):
            if "://" in link or link.startswith("mailto:"):
                continue
            path, _, fragment = link.partition("#")
            target = posixpath.normpath(posixpath.join("book", path)) if path else name
            if target not in names or (fragment and fragment not in ids.get(target, ())):
                yield f"{name}: {link} leads nowhere"


problems = [f"{file}: {what}" for file in sys.argv[1:] for what in wrong_in(file)]
print("\n".join(problems) or f"{len(sys.argv) - 1} books are whole")
sys.exit(bool(problems))
