"""What OpenDocument files have in common: their package, and the words of a paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import Package, attribute, local, number

CONTENT, STYLES, MANIFEST = "content.xml", "styles.xml", "META-INF/manifest.xml"
ASIDE = frozenset(
    "annotation note ruby-text frame text-box tracked-changes table-of-content list table".split()
)
"""What stands inside a paragraph and is none of its words, or is told by itself."""
MOST_SPACES = 1_000


def opened(file: BinaryIO, out: Out) -> Package:
    """Return the package of a document; raises ArchiveStop for one without text or with a key."""
    package = Package.checked(file, out.meter)
    if MANIFEST in package.members:
        tags = (local(element.tag) for _, element in package.xml(MANIFEST))
        if "encryption-data" in tags:
            message = "It is protected by a password. Save it without one and upload that."
            raise ArchiveStop("encrypted", message)
    if CONTENT not in package.members:
        raise ArchiveStop("bad_document", "The text is missing inside this OpenDocument file.")
    return package


def words(element: Element) -> str:
    """Return the words of a paragraph as it shows them."""
    return "".join(_pieces(element)).strip()


def _pieces(element: Element) -> Iterator[str]:
    yield _squeezed(element.text)
    for child in element:
        tag = local(child.tag)
        if tag == "s":
            yield " " * min(number(attribute(child, "c")) or 1, MOST_SPACES)
        elif tag == "tab":
            yield "\t"
        elif tag == "line-break":
            yield "\n"
        elif tag not in ASIDE:
            yield from _pieces(child)
        yield _squeezed(child.tail)


def _squeezed(text: str | None) -> str:
    """Return a text whose white space is one space, as a reader of the file shows it."""
    if not text:
        return ""
    bare = " ".join(text.split(" ")).replace("\n", " ").replace("\t", " ")
    while "  " in bare:
        bare = bare.replace("  ", " ")
    return bare


def hidden_styles(package: Package, family: str, key: str, hiding: str) -> set[str]:
    """Return the names of the styles of a family that say of what has them that it is hidden."""
    found: set[str] = set()
    name = ""
    for member in (STYLES, CONTENT):
        for event, element in package.xml(member) if member in package.members else ():
            tag = local(element.tag)
            if tag == "body":
                break
            if event == "start" and tag == "style":
                name = attribute(element, "name") if attribute(element, "family") == family else ""
            elif event == "end" and name and attribute(element, key) == hiding:
                found.add(name)
    return found
