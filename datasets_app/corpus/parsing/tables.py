"""Tables: which sign divides the cells, what the columns are called, what they mean."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER
from datasets_app.corpus.parsing import messages
from datasets_app.corpus.parsing.greetings import asks
from datasets_app.corpus.roles import role_of
from datasets_app.corpus.source import Mapping

DELIMITERS = ",;\t|"
RECORDS_LOOKED_AT = 200
LEAST_AGREEMENT = 0.95
LONGEST_FIELD, LONGEST_HEADER = 1 << 20, 10_000
SEPARATOR_LINE = re.compile(r"^\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)

# The first that a table has counts: beside a message, the user is who wrote it.
QUESTIONS = (
    *("question", "q", "input", "prompt", "query", "message", "user_message", "customer_message"),
    *("frage", "pregunta", "domanda", "vraag", "pytanie", "soru", "вопрос"),
    *("pergunta", "otázka", "kérdés", "întrebare", "spørsmål", "spørgsmål", "fråga", "kysymys"),
    *("питання", "въпрос", "ερώτηση", "câu_hỏi", "pertanyaan", "سؤال", "שאלה", "คำถาม"),
    *("问题", "質問", "질문", "user", "human"),
)
ANSWERS = (
    *("answer", "a", "output", "completion", "response", "reply", "assistant", "agent_reply"),
    *("antwort", "respuesta", "risposta", "réponse", "reponse", "antwoord"),
    *("resposta", "odpověď", "odpoveď", "válasz", "răspuns", "svar", "vastaus", "yanıt"),
    *("відповідь", "отговор", "απάντηση", "trả_lời", "jawaban", "جواب", "תשובה", "คำตอบ"),
    *("odpowiedź", "cevap", "ответ", "回答", "答案", "답변", "bot", "chosen"),
)
SHORTEST_PART = 5  # letters of a word that is looked for inside longer names
MOSTLY, FEWEST_WORDS = 0.6, 2  # of the cells ask; words of an answer on average: by hand
TEXTS = ("text", "content", "passage", "document", "texto")
SYSTEMS = ("system", "system_prompt")
NUMBERED = re.compile(r"\A\s*+([^\W\d_]{1,20})[ _\-.#]?(\d{1,3})\s*\Z")
TURN_STEMS = frozenset(
    """turn utterance message msg line user human customer client assistant bot agent ai gpt system
    kunde berater cliente agente""".split()
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


def has_long_cells(head: str, layout: Layout) -> bool:
    """Say whether lines stand together in cells between quotation marks, below names of columns.

    So it is with a table of calls: each line of a cell is one that somebody says.
    """
    is_even = layout.agreement >= LEAST_AGREEMENT and layout.columns > 1
    if not is_even or layout.records < 2 or '"' not in head:
        return False
    names = head[:LONGEST_HEADER].lstrip("\ufeff").splitlines()[0].split(layout.delimiter)
    quoted = head.count(f'{layout.delimiter}"') + head.count('\n"')
    are_names = all(name.strip() and ":" not in name for name in names)
    return are_names and len(names) == layout.columns and quoted >= layout.records - 1


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


@lru_cache(4096)
def plain(name: str) -> str:
    """Return a column or key name without case, spaces and dashes."""
    return re.sub(r"[\s\-]+", "_", name.strip().casefold())


def certain_mapping(columns: tuple[str, ...], delimiter: str | None) -> Mapping | None:
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
    found = messages.message_mapping(columns, delimiter)
    if found or (turns := numbered_turns(columns)):
        return found or Mapping(turns=turns, delimiter=delimiter)
    text = None if messages.is_turn_of_talk(columns) else _first(names, TEXTS)
    return Mapping(text=text, delimiter=delimiter) if text else None


def suggested_mapping(
    columns: tuple[str, ...], delimiter: str | None, rows: Sequence[Sequence[str]] = ()
) -> Mapping | None:
    """Return a guess to pre-fill the form with, by the names of columns and by what they hold.

    The only column is text; a column of questions beside one of sentences is a pair, as are two
    columns of any kind.
    """
    found = messages.likely_messages(columns, delimiter)
    if found:
        return found
    if len(columns) == 1:
        return Mapping(text=columns[0], delimiter=delimiter)
    pair = _likely_pair(columns, rows)
    if pair is None and len(columns) == 2:
        pair = columns[0], columns[1]
    return Mapping(question=pair[0], answer=pair[1], delimiter=delimiter) if pair else None


def _likely_pair(columns: tuple[str, ...], rows: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """Return the columns of questions and of answers, where names or cells show which they are."""
    cells = {
        name: [row[n] for row in rows if n < len(row) and row[n].strip()]
        for n, name in enumerate(columns)
    }
    asked = _called(columns, QUESTIONS) or _asking(cells)
    told = _called(tuple(name for name in columns if name != asked), ANSWERS)
    if asked and told is None:
        told = _telling({name: held for name, held in cells.items() if name != asked})
    return (asked, told) if asked and told and asked != told else None


def _called(columns: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """Return the column in whose name one of the wanted words stands."""
    long = [word for word in wanted if len(word) >= SHORTEST_PART]
    return next((name for name in columns if any(word in plain(name) for word in long)), None)


def _asking(cells: dict[str, list[str]]) -> str | None:
    """Return the column of which most cells end with a question mark."""

    def share(name: str) -> float:
        return sum(map(asks, cells[name])) / max(len(cells[name]), 1)

    best = max(cells, key=share, default=None)
    return best if best is not None and share(best) >= MOSTLY else None


def _telling(cells: dict[str, list[str]]) -> str | None:
    """Return the column with the longest cells of several words that do not ask."""

    def words(name: str) -> float:
        held = [len(cell.split()) for cell in cells[name] if not asks(cell)]
        return sum(held) / max(len(cells[name]), 1)

    best = max(cells, key=words, default=None)
    return best if best is not None and words(best) >= FEWEST_WORDS else None


def numbered_turns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that are turns of one conversation, as turn_1, turn_2 or user1, bot1."""
    found = [
        (int(told[2]), told[1].casefold(), name)
        for name in columns
        if (told := NUMBERED.match(name))
    ]
    turns = [(number, name) for number, stem, name in found if stem in TURN_STEMS]
    if len(turns) < 3 or len({number for number, _ in turns}) < 2:
        return ()
    return tuple(name for _, name in sorted(turns, key=lambda turn: turn[0]))


def turn_role(column: str, place: int) -> str:
    """Return who says what stands in a column of turns: by its name, or they take turns."""
    told = NUMBERED.match(column)
    word = told[1] if told else column
    role = role_of(word) if len(word) > 1 else ""  # a and b are letters here
    return role if role in {USER, ASSISTANT, SYSTEM} else (ASSISTANT if place % 2 else USER)


def _first(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
