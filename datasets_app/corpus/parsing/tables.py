"""Tables: which sign divides the cells, what the columns are called, what they mean."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from datasets_app.corpus.source import Mapping

DELIMITERS = ",;\t|"
RECORDS_LOOKED_AT = 200
LEAST_AGREEMENT = 0.95
LONGEST_FIELD = 1 << 20
SEPARATOR_LINE = re.compile(r"^\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)

# The first that a table has counts: beside a message, the user is who wrote it.
QUESTIONS = (
    *("question", "q", "input", "prompt", "query", "message", "user_message", "customer_message"),
    *("frage", "pregunta", "domanda", "vraag", "pytanie", "soru", "вопрос"),
    *("问题", "質問", "질문", "user", "human"),
)
ANSWERS = (
    *("answer", "a", "output", "completion", "response", "reply", "assistant", "agent_reply"),
    *("antwort", "respuesta", "risposta", "réponse", "reponse", "antwoord"),
    *("odpowiedź", "cevap", "ответ", "回答", "答案", "답변", "bot", "chosen"),
)
TEXTS = ("text", "content", "passage", "document", "texto")
SYSTEMS = ("system", "system_prompt")
# Beside these a text is one turn of a talk, and no text of its own.
OF_TURNS = frozenset(
    """role speaker author author_id sender sender_id from conversation_id thread_id dialog_id
    dialogue_id chat_id session_id ticket_id turn turn_id in_reply_to in_response_to
    in_response_to_tweet_id""".split()
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table's text is divided; `agreement` is the share of records of one width."""

    delimiter: str
    columns: int
    agreement: float
    records: int
    has_separator_line: bool = False


def guess_layout(head: str) -> Layout:
    """Return the division under which most records have the same number of cells."""
    first = re.split(r"\r\n|\n|\r", head, maxsplit=1)
    named = SEPARATOR_LINE.match(first[0])
    if named and len(first) == 2:
        voted = _vote(first[1], named[1])
        return Layout(
            named[1], voted.columns, voted.agreement, voted.records, has_separator_line=True
        )
    return max((_vote(head, sign) for sign in DELIMITERS), key=_rank)


def _rank(layout: Layout) -> tuple[bool, bool, float, int]:
    wide = layout.columns >= 2
    return wide, layout.agreement >= LEAST_AGREEMENT, layout.agreement, layout.columns


def _vote(head: str, delimiter: str) -> Layout:
    rows: list[int] = []
    csv.field_size_limit(LONGEST_FIELD)
    try:
        lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", head)
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                rows.append(len(row))
            if len(rows) == RECORDS_LOOKED_AT:
                break
    except csv.Error:
        return Layout(delimiter, 1, 0.0, len(rows))
    if not rows:
        return Layout(delimiter, 1, 0.0, 0)
    width, same = Counter(rows).most_common(1)[0]
    return Layout(delimiter, width, same / len(rows), len(rows))


def is_table(head: str, layout: Layout) -> bool:
    """Say whether the text reads as a table rather than as prose with commas."""
    if layout.columns < 2 or layout.records < 3 or layout.agreement < LEAST_AGREEMENT:
        return False
    loose = head.count(layout.delimiter + " ")
    return layout.delimiter not in ",;" or loose * 2 <= head.count(layout.delimiter)


def column_names(header: list[str]) -> tuple[str, ...]:
    """Return one name per column: blanks get a number, a repeated name gets _2, _3."""
    counts: dict[str, int] = {}  # of each name, in order
    for number, cell in enumerate(header, 1):
        base = name = cell.replace("\ufeff", "").strip() or f"column {number}"
        while name in counts:
            counts[base] += 1
            name = f"{base}_{counts[base]}"
        counts[name] = 1
    return tuple(counts)


def plain(name: str) -> str:
    """Return a column or key name without case, spaces and dashes."""
    return re.sub(r"[\s\-]+", "_", name.strip().casefold())


def certain_mapping(columns: tuple[str, ...], delimiter: str) -> Mapping | None:
    """Return the mapping that well-known column names state, or None when a person must say."""
    names = {plain(name): name for name in reversed(columns)}
    system = _first(names, SYSTEMS)
    answer = _first(names, ANSWERS)
    if answer and "instruction" in names:
        return Mapping(
            question=names["instruction"],
            context=names.get("input"),
            answer=answer,
            system=system,
            delimiter=delimiter,
        )
    question = _first(names, QUESTIONS)
    if question and answer:
        return Mapping(question=question, answer=answer, system=system, delimiter=delimiter)
    text = _first(names, TEXTS) if OF_TURNS.isdisjoint(names) else None
    return Mapping(text=text, delimiter=delimiter) if text else None


def suggested_mapping(columns: tuple[str, ...], delimiter: str) -> Mapping | None:
    """Return a guess to pre-fill the form with: the only column is text, two are a pair."""
    if len(columns) == 1:
        return Mapping(text=columns[0], delimiter=delimiter)
    if len(columns) == 2:
        return Mapping(question=columns[0], answer=columns[1], delimiter=delimiter)
    return None


def _first(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
