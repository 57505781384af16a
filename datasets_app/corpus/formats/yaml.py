"""YAML: lists of what people say in turn, and records, as JSON would hold them.

All values are taken as texts, as they are written. A file that refers to other places of itself
is refused: a few such lines can stand for gigabytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import json_values
from datasets_app.corpus.formats.format import Document, Format, Reader
from datasets_app.corpus.pages.tree import decoded
from datasets_app.corpus.parsing.shapes import is_talk
from datasets_app.corpus.parsing.tables import ANSWERS, QUESTIONS, plain

DEEPEST = 10
MOST_INSIDE = 100  # lists inside each other: to look for more takes ever longer
LOOKED_THROUGH = 1 << 18  # letters, of a text whose name promises no YAML
SPOKEN = re.compile(r"(?m)^ {0,8}+- - (?!-)\S")  # but no rule of dashes
RECORD = re.compile(r"(?m)^ {0,8}+- (?:\{ ?)?[\"']?([A-Za-z_]{1,20}+)[\"']?:(?: |$)")
NAMES = frozenset({*QUESTIONS, *ANSWERS, "role", "from", "speaker", "messages", "turns", "text"})
ENDINGS = ("yml", "yaml")


def tell(head: TextHead) -> str | None:
    """Say why a text is YAML that holds talks or records; any other YAML is plain text."""
    is_named = head.ending in ENDINGS
    spoken = [found.start() for found in SPOKEN.finditer(head.text)]
    if spoken and (is_named or (len(spoken) > 1 and _is_valid(head, spoken))):
        return "lists of lists stand in it, as YAML writes talks"
    names = {plain(name) for name in RECORD.findall(head.text)}
    return "its records have known names" if is_named and names & NAMES else None


def _is_valid(head: TextHead, spoken: list[int]) -> bool:
    """Say whether a text whose name promises no YAML is some, as far as its last whole talk."""
    is_whole = head.is_whole and len(head.text) <= LOOKED_THROUGH
    end = max((start for start in spoken if start <= LOOKED_THROUGH), default=0)
    try:
        _check(head.text if is_whole else head.text[:end])
    except ArchiveStop:
        return False
    return True


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the talks or records of a file as the members of one JSON list."""
    comma = '{"records": ['
    for number, value in enumerate(_told(_loaded(decoded(file.read()))), 1):
        out.part(comma, "")
        out.part(json.dumps(value, ensure_ascii=False), f"record {number:,}")
        comma = ",\n"
    out.part("]}\n" if comma == ",\n" else f"{comma}]}}\n", "")


def _told(documents: list[Any]) -> Iterator[Any]:
    """Yield the records of all documents; of several one that is a talk is a record itself."""
    for document in documents:
        if len(documents) > 1 and is_talk("turns", document):
            yield {"turns": document}
        else:
            yield from _records(document)


def _loaded(text: str) -> list[Any]:
    """Return the documents of a text, which lines of dashes part."""
    import yaml  # noqa: PLC0415 - few files need it

    text = text.replace("\0", "")
    try:
        _check(text)
        told = yaml.load_all(text, yaml.CBaseLoader)  # this one builds texts only
        return [document for document in told if document]
    except yaml.YAMLError:
        raise ArchiveStop("bad_document", "The file is not valid YAML.") from None


def _check(text: str) -> None:
    """Raise ArchiveStop where a text is no YAML, or some that is a trap."""
    import yaml  # noqa: PLC0415 - few files need it

    inside = 0
    try:
        for event in yaml.parse(text, yaml.CBaseLoader):
            inside += isinstance(event, yaml.CollectionStartEvent)
            inside -= isinstance(event, yaml.CollectionEndEvent)
            if inside > MOST_INSIDE:
                message = "Its lists lie too deep inside each other to be read."
                raise ArchiveStop("bad_document", message)
            if isinstance(event, yaml.AliasEvent):
                message = "It refers to other places of itself (an alias, *name): maybe a trap."
                raise ArchiveStop("bad_document", f"{message} Write the text out and upload that.")
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        line = f"Line {place.line + 1:,}" if place else "The file"
        message = f"{line} is not valid YAML: {error.problem}."
        raise ArchiveStop("bad_document", message) from None
    except yaml.YAMLError:
        raise ArchiveStop("bad_document", "The file is not valid YAML.") from None


def _records(root: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the members of the lists that lie least deep."""
    if isinstance(root, list):
        is_spoken = any(isinstance(held, list) for held in root)
        yield from (_talk(held) for held in root) if is_spoken else root
    elif isinstance(root, dict) and depth < DEEPEST:
        lists = [held for held in root.values() if _holds_records(held)]
        inner = lists or [held for held in root.values() if isinstance(held, dict)]
        for held in inner:
            yield from _records(held, depth + 1)


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(held, list | dict) for held in value)


def _talk(said: Any) -> Any:
    """Return what a list of texts is: people who take turns, the first one asks."""
    if isinstance(said, dict):
        return said
    texts = [_text(text) for text in (said if isinstance(said, list) else [said])]
    roles = (USER, ASSISTANT)
    turns = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return {"turns": turns}


def _text(value: Any) -> str:
    """Return a text; one with a colon in it was taken for a name with its value."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_text(held)}" for name, held in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FORMAT = Format(
    kind="yaml",
    name="a YAML file of talks or records",
    endings=ENDINGS,
    document=Document(extract, "record"),
    reader=Reader("yaml", 2, json_values.read, json_values.ask),
    of_text=tell,
)
