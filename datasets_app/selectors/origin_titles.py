"""Where the rows of documents stand: the title of their page and the headings above them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import Min

from datasets_app.models import Conversation, Document, Pair


class Place(NamedTuple):
    """A page’s title, and the headings above a row, the widest first."""

    page: str = ""
    above: tuple[str, ...] = ()


NOWHERE = Place()


def places_of(rows: Collection[int]) -> dict[int, Place]:
    """Return where passages, and pairs that were made of documents, stand; three queries."""
    passages = Conversation.objects.filter(pk__in=rows, is_passage=True)
    told = passages.values_list("pk", "meta", "source_file__name")
    found = {pk: _of_passage(meta, name or "") for pk, meta, name in told.iterator()}
    chunks = Pair.objects.filter(conversation__in=rows)
    fields = ("conversation_id", "chunk__headings", "chunk__document_id")
    pairs = list(chunks.values_list(*fields))
    titles = _titles({document for *_, document in pairs})
    found |= {pk: Place(titles[document], tuple(above)) for pk, above, document in pairs}
    return found


def _of_passage(meta: dict[str, Any], name: str) -> Place:
    heading = meta.get("heading")
    above = (str(heading),) if heading else ()
    return Place(_title(meta.get("front_matter"), name), above)


def _titles(documents: Iterable[int]) -> dict[int, str]:
    """Return the titles of documents: as their passages tell them, where there are some."""
    rows = Document.objects.filter(pk__in=list(documents))
    files = {pk: (file, name) for pk, file, name in rows.values_list("pk", "source_file", "name")}
    passages = Conversation.objects.filter(
        source_file__in={file for file, _ in files.values()}, is_passage=True
    )
    firsts = passages.order_by().values("source_file").annotate(first=Min("pk")).values("first")
    one_each = Conversation.objects.filter(pk__in=firsts)  # all passages of a file tell the same
    told = dict(one_each.values_list("source_file", "meta__front_matter"))
    return {pk: _title(told.get(file), name) for pk, (file, name) in files.items()}


def _title(matter: Any, name: str) -> str:
    """Return the title that front matter tells, or else the file’s name without its ending."""
    told = matter.get("title", "") if isinstance(matter, dict) else ""
    base = name.replace("\\", "/").rpartition("/")[2]
    return str(told).strip("\"' ") or base.rpartition(".")[0] or base
