"""Program text: what its name says it is, kept as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from datasets_app.corpus.chunks.headings import no_headings
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Prose, Reader
from datasets_app.corpus.readers import passages
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.source import Item, Record

LANGUAGES = {
    **dict.fromkeys(("py", "pyi"), "Python"),
    **dict.fromkeys(("js", "mjs", "jsx"), "JavaScript"),
    **dict.fromkeys(("ts", "tsx"), "TypeScript"),
    **dict.fromkeys(("c", "h"), "C"),
    **dict.fromkeys(("cpp", "hpp", "cc"), "C++"),
    **dict.fromkeys(("sh", "bash"), "shell"),
    **dict.fromkeys(("pl", "pm"), "Perl"),
    "java": "Java",
    "kt": "Kotlin",
    "cs": "C#",
    "go": "Go",
    "rs": "Rust",
    "rb": "Ruby",
    "php": "PHP",
    "swift": "Swift",
    "scala": "Scala",
    "lua": "Lua",
    "sql": "SQL",
    "css": "CSS",
    "ps1": "PowerShell",
}


def tell(head: TextHead) -> str | None:
    """Say why a text is a program: lines of one may look like a talk or a table."""
    language = LANGUAGES.get(head.ending)
    return f"its name says that it is {language}" if language else None


def read(job: Job) -> Iterator[Item]:
    """Yield passages that begin at blank lines, with every blank and the language beside them."""
    language = LANGUAGES.get(job.name.rpartition(".")[2].casefold())
    for item in passages.read(job):
        if isinstance(item, Record) and language:
            yield replace(item, meta={**item.meta, "language": language})
        else:
            yield item


FORMAT = Format(
    kind="code",
    name="program text",
    endings=tuple(LANGUAGES),
    reader=Reader("code", 1, read),
    prose=Prose(no_headings),
    of_text=tell,
)
