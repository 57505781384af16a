"""XML: feeds as texts, questions with their answers, and what people say, as JSON would hold it.

The repeated elements that lie least deep are the records. Entities of a file's own are refused,
and nothing is fetched.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from datasets_app.corpus.archives.limits import ArchiveStop
from datasets_app.corpus.archives.out import Out
from datasets_app.corpus.archives.package import local, xml_faults
from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats import json_values
from datasets_app.corpus.formats.format import Document, Format, Reader
from datasets_app.corpus.pages.blocks import asks
from datasets_app.corpus.pages.tree import decoded
from datasets_app.corpus.parsing.markup import bare_text
from datasets_app.corpus.parsing.messages import LISTS
from datasets_app.corpus.parsing.tables import ANSWERS, QUESTIONS, plain
from datasets_app.corpus.roles import role_of

TYPES = frozenset({"integer", "datetime", "boolean", "array", "string", "decimal", "date"})
"""What some programs write beside each value."""
QUESTION, ANSWER = "1", "2"  # how Stack Exchange numbers its kinds of posts
DEEPEST = 30
DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,300}\?>")
MARKUP = re.compile(
    r"(?i)</?(?:p|br|a|div|li|ul|ol|b|i|em|strong|span|h[1-6]|table)\b[^<>]{0,2000}>"
)
PHONE = "this phone"  # whoever writes from it: the desk of a shop, or one of its customers
SPEAKING = frozenset({SYSTEM, USER, ASSISTANT})
FEED_ITEMS = frozenset({"item", "entry"})
FEED_BODIES = ("encoded", "content", "description", "summary")
FEED_ROOTS = frozenset({"rss", "feed", "RDF"})


def tell(head: TextHead) -> str | None:
    """Say why a text is XML; a web page was told before."""
    return "it begins like XML" if head.text.lstrip()[:5].casefold() == "<?xml" else None


@dataclass(slots=True)
class _Plan:
    """What the elements of a file are: how deep its records lie, and what these are."""

    root: str = ""
    level: int = 0
    tags: Counter[str] = field(default_factory=Counter)
    has_inner: bool = False
    """Whether a record holds elements of its own."""

    @property
    def key(self) -> str:
        return _listed(self.tags.most_common(1)[0][0]) if self.tags else "records"

    @property
    def is_feed(self) -> bool:
        return self.root in FEED_ROOTS

    @property
    def is_paired(self) -> bool:
        """Say whether questions and answers follow one another."""
        names = {plain(tag) for tag in self.tags}
        return bool(names & {*QUESTIONS}) and bool(names & {*ANSWERS}) and not self.has_inner

    @property
    def is_spoken(self) -> bool:
        """Say whether the name of each element says who speaks."""
        roles = {role_of(tag) for tag in self.tags}
        return len(roles) > 1 and not self.has_inner and roles <= SPEAKING


def extract(file: BinaryIO, out: Out, _section: int) -> None:
    """Tell the records of a file as the members of one JSON list."""
    text = decoded(file.read())
    data = DECLARATION.sub("", text.replace("\0", ""), count=1).encode("utf-8", "replace")
    try:
        plan = _planned(data)
        out.part(f'{{"{plan.key}": [', "")
        for number, value in enumerate(_with_answers(_records(data, plan)), 1):
            comma = ",\n" if number > 1 else ""
            out.part(comma, "")
            out.part(json.dumps(value, ensure_ascii=False), f"{plan.key} {number:,}")
        out.part("]}\n", "")
    except ArchiveStop as stop:
        message = stop.message.replace("which no Office program writes and ", "")
        raise ArchiveStop(stop.code, message.replace("“The XML” inside it", "It")) from None


def _events(data: bytes) -> Iterator[tuple[str, Element]]:
    from defusedxml.ElementTree import iterparse  # noqa: PLC0415 - only the child loads it

    with xml_faults("The XML"):
        yield from iterparse(io.BytesIO(data), events=("start", "end"))


def _planned(data: bytes) -> _Plan:
    """Find the least deep elements that are repeated, or those of a root that says it is a list.

    A file without any is one record.
    Of a damaged file what stands before the damage is looked at.
    """
    counts: list[Counter[str]] = []
    repeated: dict[int, Counter[str]] = {}
    holding: set[int] = set()
    plan = _Plan()
    with suppress(ArchiveStop):
        for event, element in _events(data):
            tag = local(element.tag)
            if event == "start":
                plan.root = plan.root or tag
                for above in counts[-1:]:
                    above[tag] += 1
                    holding.add(len(counts) - 1)
                if plan.root in FEED_ROOTS and tag in FEED_ITEMS:
                    repeated.setdefault(len(counts), Counter())[tag] += 1
                counts.append(Counter())
                continue
            known = counts.pop()
            is_list = not counts and element.get("type") == "array"
            is_list |= any(count > 1 for count in known.values())
            element.clear()
            if plan.root not in FEED_ROOTS and is_list:
                repeated.setdefault(len(counts) + 1, Counter()).update(known)
    plan.level = min(repeated, default=0)
    plan.tags = repeated.get(plan.level) or Counter({plan.root: 1})
    plan.has_inner = plan.level in holding
    return plan


def _records(data: bytes, plan: _Plan) -> Iterator[Any]:
    depth, question = 0, ""
    for event, element in _events(data):
        if event == "start":
            depth += 1
            continue
        depth -= 1
        if depth != plan.level:
            if depth < plan.level:
                element.clear()
            continue
        tag = local(element.tag)
        value = _feed_item(element) if plan.is_feed and tag in FEED_ITEMS else _value(element)
        if plan.is_paired and isinstance(value, str):
            if plain(tag) in ANSWERS and question:
                yield {"question": question, "answer": value}
            question = value if plain(tag) in QUESTIONS else ""
        elif plan.is_spoken and isinstance(value, str):
            yield {"speaker": tag, "text": value}
        elif not (plan.is_feed and tag not in FEED_ITEMS):
            yield _message_of_phone(value) if tag == "sms" and isinstance(value, dict) else value
        element.clear()


def _with_answers(records: Iterator[Any]) -> Iterator[Any]:
    """Yield records; the posts of a site of Stack Exchange as questions with their answers."""
    questions: dict[str, dict[str, Any]] = {}
    answers: list[dict[str, Any]] = []
    for value in records:
        kind = value.get("PostTypeId") if isinstance(value, dict) else None
        if kind == QUESTION:
            questions[str(value.get("Id"))] = value
        elif kind == ANSWER:
            answers.append(value)
        elif kind is None:
            yield value
    told: dict[str, list[dict[str, Any]]] = {}
    for one in answers:
        asked = questions.get(str(one.get("ParentId")), {})
        score = str(one.get("Score", "0"))
        is_accepted = bool(one.get("Id")) and asked.get("AcceptedAnswerId") == one.get("Id")
        if is_accepted or not score.startswith("-"):
            shown = {"body": bare_text(str(one.get("Body", ""))), "is_accepted": is_accepted}
            points = int(score) if score.isdecimal() else 0
            told.setdefault(str(one.get("ParentId")), []).append({**shown, "score": points})
    for number, one in questions.items():
        body = bare_text(str(one.get("Body", "")))
        asked_words = {"title": one.get("Title", ""), "body": body, "id": number}
        if number in told:
            yield {**asked_words, "answers": told[number]}
        else:
            yield {"question": "\n\n".join(filter(None, (one.get("Title", ""), body)))}


def _message_of_phone(value: dict[str, Any]) -> dict[str, Any]:
    """Return a text message as the usual backup of phones writes it; type 1 was received."""
    other = value.get("contact_name") or value.get("address") or "somebody"
    return {
        "conversation": str(value.get("address") or other),
        "date": value.get("date"),
        "speaker": other if value.get("type") == "1" else PHONE,
        "text": value.get("body"),
    }


def _feed_item(element: Element) -> dict[str, Any]:
    """Return an entry of a feed: a text below its title, or a question with its answer."""
    held = {local(child.tag): _text(child) for child in element}
    title = held.get("title", "")
    body = next((held[name] for name in FEED_BODIES if held.get(name)), "")
    dates = (held.get(name) for name in ("pubDate", "published", "updated", "date"))
    meta = {
        "title": title,
        "published": next(filter(None, dates), ""),
        "link": held.get("link", ""),
    }
    meta = {key: told for key, told in meta.items() if told}
    if asks(title) and body:
        return {"question": title, "answer": body, **meta}
    return {"text": "\n\n".join(filter(None, (f"# {title}" if title else "", body))), **meta}


def _value(element: Element, depth: int = 0) -> Any:
    """Return what an element holds: text, or an object of attributes and elements."""
    named = {_name(key): text for key, text in element.items()}
    if named.keys() == {"type"} and named["type"] in TYPES:
        named = {}
    children = list(element)
    is_mixed = bool(children) and any((child.tail or "").strip() for child in children)
    if not children or is_mixed or depth > DEEPEST:
        text = _text(element)
        return {**named, "text": text} if named and text else named or text
    held: dict[str, Any] = dict(named)
    counts = Counter(_name(child.tag) for child in children)
    for child in children:
        tag = _name(child.tag)
        if counts[tag] > 1:
            held.setdefault(_listed(tag), []).append(_value(child, depth + 1))
        else:
            held[tag] = _value(child, depth + 1)
    return held


def _name(tag: str) -> str:
    """Return what JSON would call an element: `author-id` is author_id."""
    return local(tag).replace("-", "_")


def _listed(tag: str) -> str:
    """Return what a list of such elements is called."""
    return f"{tag}s" if f"{plain(tag)}s" in LISTS else tag


def _text(element: Element) -> str:
    """Return the words of an element; markup that was written into it as text is taken out."""
    text = "".join(element.itertext()).strip()
    return bare_text(text) if MARKUP.search(text) else text


FORMAT = Format(
    kind="xml",
    name="an XML file",
    endings=("xml", "rss", "atom"),
    document=Document(extract, "record"),
    reader=Reader("xml", 2, json_values.read, json_values.ask),
    of_text=tell,
)
