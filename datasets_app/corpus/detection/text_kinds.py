"""Kinds of text, decided by parsing: JSON, tables, transcripts, marked-up text, plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from datasets_app.corpus.detection.kind_names import Kind
from datasets_app.corpus.parsing import tables, transcripts

LINE_END = re.compile(r"\r\n|\n|\r")
MAIL_HEADER = re.compile(r"(?i)(from|to|subject|date|message-id):\s")
# Blanks inside a line only: one that crossed lines would be tried at each of them.
CLOCK = r"\d{1,2}:\d\d:\d\d[.,]\d"
CUE = re.compile(rf"(?m)^[ \t]*+{CLOCK}\d{{0,2}}[ \t]*+(?:-->|,)[ \t]*+{CLOCK}")
TAGS = re.compile(r"(?i)<(html|head|body|div|p|span|table|ul|a|br|h[1-6]|script)\b")
MD_MARKS = re.compile(
    r"(?m)^(?:#{1,6} \S|```|~~~|[ \t]*+[-*] \[[^\]\r\n]{1,500}\]\(|\|[ \t]*+:?-{3})"
)
RST_MARKS = re.compile(
    r"(?m)^(?:\.\. [\w-]++::|(?:={4,}+|-{4,}+|~{4,}+|\^{4,}+)[ \t]*+$|:[A-Z][\w-]++: )"
)
JSON_NAMES = (".json",)
JSONL_NAMES = (".jsonl", ".ndjson")
BY_NAME = {
    ".md": Kind.MD,
    ".markdown": Kind.MD,
    ".rst": Kind.RST,
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
}

Answer = tuple[Kind, str]


def text_kind(head: str, name: str, *, is_whole: bool) -> Answer:
    """Return what a text is and why; `head` is its beginning, or all of it when `is_whole`."""
    head = head.lstrip("\ufeff")
    lines = [line for line in LINE_END.split(head) if line.strip()]
    if not is_whole and len(lines) > 1:
        lines.pop()
    checks: tuple[Callable[[], Answer | None], ...] = (
        lambda: _json(head, lines, name.casefold(), is_whole=is_whole),
        lambda: _mail(head),
        lambda: _subtitle(head),
        lambda: _markup(head),
        lambda: _transcript(head),
        lambda: _table(head, name.casefold()),
        lambda: _marked(head, name.casefold()),
    )
    return next((answer for check in checks if (answer := check())), (Kind.TXT, "it is plain text"))


def _json(head: str, lines: list[str], name: str, *, is_whole: bool) -> Answer | None:
    start = head.lstrip()[:1]
    if start not in {"{", "["} or not lines:
        return (Kind.JSON, "its name says JSON") if name.endswith(JSON_NAMES) else None
    if is_whole and _parses(head):
        return Kind.JSON, "the whole text is one JSON value"
    alone = [_parses(line) for line in lines[:20]]
    if len(lines) > 1 and sum(alone) * 2 >= len(alone):
        return Kind.JSONL, f"{sum(alone)} of the first {len(alone)} lines are JSON on their own"
    if name.endswith(JSONL_NAMES) and (alone[0] or len(lines) == 1):
        return Kind.JSONL, "it begins like JSON and its name says one record per line"
    if name.endswith((*JSON_NAMES, *JSONL_NAMES)) or _begins_like_json(head):
        return Kind.JSON, "it begins like JSON"
    return None


def _begins_like_json(head: str) -> bool:
    compact = re.sub(r"\s+", "", head[:400])
    return compact[:2] in {'{"', "[{", '["', "[["}


def _parses(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _mail(head: str) -> Answer | None:
    top = re.split(r"\r?\n\r?\n", head, maxsplit=1)[0]
    headers = filter(None, map(MAIL_HEADER.match, LINE_END.split(top)))
    named = {found[1].casefold() for found in headers}
    if len(named) >= 2 and MAIL_HEADER.match(head):
        return Kind.EML, "it begins with the headers of an e-mail"
    return None


def _subtitle(head: str) -> Answer | None:
    if head.startswith("WEBVTT"):
        return Kind.SUBTITLE, "it begins with WEBVTT"
    if CUE.search(head[:2000]):
        return Kind.SUBTITLE, "it has the timing lines of subtitles"
    return None


def _markup(head: str) -> Answer | None:
    start = head.lstrip()[:200].casefold()
    if start.startswith(("<!doctype html", "<html")):
        return Kind.HTML, "it begins like a web page"
    if start.startswith("<?xml"):
        return (Kind.HTML if "<html" in head[:2000].casefold() else Kind.XML), "it begins like XML"
    if start.startswith("<"):
        known = {tag.casefold() for tag in TAGS.findall(head[:20_000])}
        if len(known) >= 3:
            return Kind.HTML, "it begins with a tag and has several known ones"
    return None


def _transcript(head: str) -> Answer | None:
    lines = LINE_END.split(transcripts.one_turn_per_line(head))
    speakers = transcripts.find_speakers(lines)
    if speakers is None:
        return None
    return Kind.TRANSCRIPT, f"{len(speakers.counts)} speakers take turns in it"


def _table(head: str, name: str) -> Answer | None:
    layout = tables.guess_layout(head)
    kind = Kind.TSV if layout.delimiter == "\t" else Kind.CSV
    if layout.has_separator_line or tables.is_table(head, layout):
        share = round(layout.agreement * 100)
        return kind, f"{share} % of its rows have {layout.columns} cells"
    if name.endswith((".csv", ".tsv")):
        return kind, "its name says it is a table"
    return None


def _marked(head: str, name: str) -> Answer | None:
    by_name = next((kind for ending, kind in BY_NAME.items() if name.endswith(ending)), None)
    if by_name:
        return by_name, "its name decides between kinds of text"
    if name.endswith(".txt"):
        return None
    if len(MD_MARKS.findall(head)) >= 2:
        return Kind.MD, "it has headings and marks of Markdown"
    if len(RST_MARKS.findall(head)) >= 2:
        return Kind.RST, "it has headings and marks of reStructuredText"
    return None
