"""Where the rows of documents stand: the title of their page and the headings above them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models.functions import Left

from datasets_app.corpus.readers.passages import front_matter
from datasets_app.models import Conversation, Document, Pair

HEAD_SIGNS = 4_000  # in which a document says its title


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
    rows = Document.objects.filter(pk__in=list(documents))
    heads = rows.values_list("pk", Left("text", HEAD_SIGNS), "name")
    return {pk: _title(front_matter(head)[0], name) for pk, head, name in heads}


def _title(matter: Any, name: str) -> str:
    """Return the title that front matter tells, or else the file’s name without its ending."""
    told = matter.get("title", "") if isinstance(matter, dict) else ""
    base = name.replace("\\", "/").rpartition("/")[2]
    return str(told).strip("\"' ") or base.rpartition(".")[0] or base
