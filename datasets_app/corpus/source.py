"""What a reader makes of a file: records, problems and gaps that tile its bytes."""

from __future__ import annotations

import hashlib
import json
import typing
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn

REASONS: dict[str, str] = {
    "structure": "Headers, commas and brackets: they hold no text of their own.",
    "blank": "Blank lines.",
    "empty": "The file is empty.",
    "no_conversations": "The file was read, but no conversation or text was found in it.",
    "unsupported_kind": "OTTO does not read this kind of file.",
    "blocked_link": "Links, devices and sparse files in archives are listed and never followed.",
    "repeated_name": "The archive holds this name more than once; each file was kept.",
    "header_cap": "A name or header in the archive is longer than 64 KiB.",
    "disk_full": (
        "The disk is full or read-only. Nothing is lost: reading goes on by itself once it can."
    ),
    "blocked_name": "The name tries to leave its folder, so the file was not loaded.",
    "bad_name": "The name is longer than 1,024 bytes or has more than 32 parts.",
    "junk": "The operating system's own helper file: it holds nothing to learn from.",
    "too_deep": "Archives inside archives are opened three levels deep; this one lies deeper.",
    "ratio": "Unpacking was stopped: the content grows far more than a real file would.",
    "member_cap": "This file is larger than one file inside an archive may be.",
    "total_cap": "Unpacking was stopped: the archive holds more than may be unpacked at once.",
    "too_many": "The archive holds more files than may be unpacked at once.",
    "bad_crc": "The checksum does not match: this file is damaged inside its archive.",
    "bad_member": "This file is damaged inside its archive and could not be unpacked.",
    "bad_archive": "The archive is damaged.",
    "bad_document": "The document is damaged, or made so that reading it is not safe.",
    "no_table": "This sheet holds a chart and no table.",
    "hidden_sheet": "This sheet is hidden in its workbook. The workbook’s page can have it loaded.",
    "hidden_row": "This row is hidden, perhaps by a filter; it was loaded all the same.",
    "hidden_text": "Some of this text is hidden in its document; it was loaded all the same.",
    "no_value": "A formula here was saved without its value, so the cell was read as empty. Open "
    "the workbook, save it again and upload that.",
    "error_value": "A cell holds an error like #N/A in place of a value; it was read as empty.",
    "no_text": "Pictures, notes in the margin and the like hold no text of their own here.",
    "furniture": "Menus, banners, scripts and single short lines are no text of a page.",
    "says_little": "Paragraphs of it say little by the filter that was chosen for this file.",
    "too_little": "Texts of it are shorter than the shortest that was chosen for this file.",
    "needs_ocr": "This page is a picture: it holds no text. A program for OCR can recognise it.",
    "bad_page": "This page is damaged and could not be read.",
    "unreadable": "The text of this page cannot be read: it numbers its letters and does not say "
    "which they are. A program for OCR can recognise them.",
    "needs_script": "This page shows nothing without JavaScript.",
    "encrypted": "This file is protected by a password. Pack it again without one.",
    "bad_method": "This file is packed in a way OTTO does not open. Pack it again as plain zip.",
    "trailing_junk": "There are extra bytes behind the end of the packed data; the data was kept.",
    "stopped": "Reading was stopped: it needed more memory or time than one file may use.",
    "cancelled": "Reading was stopped by a person.",
    "needs_encoding": "The characters of this file can be read in several ways: please choose one.",
    "needs_speakers": "Tell us who asks and who answers; nothing is loaded until then.",
    "needs_mapping": "Tell us what the columns are; nothing is loaded until then.",
    "bad_json": "This is not valid JSON.",
    "control_character": "A string holds a raw control character; it was kept.",
    "trailing_comma": "A comma too many was passed over.",
    "comment": "A comment inside the JSON was passed over.",
    "too_long": "This line or record is longer than 16 MiB.",
    "too_nested": "The record is nested more than 64 levels deep.",
    "long_number": "The record holds a whole number of more than 4,000 digits.",
    "not_a_number": "NaN and Infinity are not valid values; they were read as empty.",
    "duplicate_key": "One key stands twice in a record; the last value was kept.",
    "missing_role": "The record has no question or no answer where one is due.",
    "not_text": "There is a list, an object or nothing where text is due.",
    "unknown_shape": "The record has none of the shapes OTTO knows.",
    "ragged_row": "The row has more or fewer cells than the header.",
    "unclosed_quote": "A quotation mark opened here is never closed.",
    "long_field": "A cell is longer than 1 MiB.",
    "bad_bytes": "Some bytes fit no character; they are shown as \ufffd.",
    "guessed_encoding": "The encoding was told from the letters: look whether they are right.",
    "other_encoding": "Some lines were written in another encoding than the rest.",
    "inner_bom": "A byte order mark in the middle of the file was passed over.",
}
"""Every code a Problem, a Gap, a member or a file may carry, with the sentence people read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One conversation or passage; `[start, end)` are the bytes of the file that gave it.

    Of a document they are those of the text that came out of it, and `place` says for people
    where that stands: paragraph, page, or sheet and cells. `decision` is what people decided in
    another program: `keep`, `exclude`, or nothing.
    """

    start: int
    end: int
    turns: tuple[Turn, ...]
    notes: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    decision: str = ""

    @property
    def conversation(self) -> Conversation:
        return Conversation(self.turns)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not loaded, or loaded with a doubt; `code` is a key of REASONS.

    `line` and `column` count from 1. A problem with `start == end` is a remark about the whole
    place: the bytes themselves are accounted for by the item that follows.
    """

    start: int
    end: int
    line: int
    column: int
    code: str
    message: str
    sample: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that hold nothing to load; `reason` is `structure` or `blank`."""

    start: int
    end: int
    reason: str = "structure"


@dataclass(frozen=True, slots=True)
class Joined:
    """Bytes of a record that stands further up: rows of one conversation may lie apart."""

    start: int
    end: int


Item: TypeAlias = Record | Problem | Gap | Joined
FIRST_KINDS = ("question", "answer", "text", "system", "context", "delimiter")
BEGINNINGS = ("whole", "blank", "anew", "pause")
"""How a new conversation shows where no column names it: never, below a blank row, where the
order counts anew, and after an hour in which nobody writes."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a person chose: what the columns of a table are, or who the speakers are.

    A table has a question and an answer, one column of text, several `turns` in each row, or one
    message in each: `speaker` and `words`, put in `order`, of the `conversation` of that name or,
    where no column names one, of one that `begins` as BEGINNINGS say. `context` is put after the
    question, `system` before the conversation; `delimiter` is the sign between cells, guessed
    when None. A row may hold facts instead: `tells` says how they become language (telling.WAYS),
    `key` is the column that names what a row is about, `asks` and `template` are a person's own
    words for the question and the answer. `roles` are those of speakers, by their canonical names.
    `pauses` is `whole` where a chat in a text shall be one conversation over all its days.
    `passages` says how those of a text become conversations (readers.prompted.Passages).
    """

    question: str | None = None
    answer: str | None = None
    text: str | None = None
    system: str | None = None
    context: str | None = None
    delimiter: str | None = None
    roles: dict[str, str] | None = None
    conversation: str | None = None
    order: str | None = None
    speaker: str | None = None
    words: str | None = None
    begins: str | None = None
    turns: tuple[str, ...] = ()
    tells: str | None = None
    key: str | None = None
    asks: str | None = None
    template: str | None = None
    passages: dict[str, Any] | None = None
    pauses: str | None = None

    def __post_init__(self) -> None:
        if self.roles is not None and not {"user", "assistant"} <= set(self.roles.values()):
            raise CorpusError("Say who answers, and who asks: both are needed.")
        if not self.has_columns:
            if self.roles is None and self.passages is None:
                raise CorpusError(
                    "Choose a question and an answer column, one column of text, or who speaks "
                    "and the words."
                )
            return
        self._check_kinds()
        named = self.columns
        for column in named:
            if named.count(column) > 1:
                raise CorpusError(
                    f"The column “{column}” is chosen twice. A column is one thing only: choose "
                    "another one for the second."
                )

    def _check_kinds(self) -> None:
        """Refuse halves, and two ways of reading at once."""
        if bool(self.question) != bool(self.answer):
            raise CorpusError("Choose both a question column and an answer column.")
        if bool(self.speaker) != bool(self.words):
            raise CorpusError("Choose both the column of who speaks and that of the words.")
        ways = (self.question, self.text, self.words, self.turns, self.tells)
        if sum(map(bool, ways)) != 1:
            raise CorpusError(
                "Choose one way only: a question and an answer column, one column of text, several "
                "turns in each row, one message in each row, or facts to be told."
            )
        if len(self.turns) == 1:
            raise CorpusError("Choose at least two columns of turns.")
        if self.words and not (self.conversation or self.begins):
            raise CorpusError("Say which column names the conversation, or how a new one begins.")
        if self.begins and self.begins not in BEGINNINGS:
            raise CorpusError(f"A new conversation begins in one of these ways: {BEGINNINGS}.")
        if self.begins in {"anew", "pause"} and not self.order:
            raise CorpusError("Choose the column of the order, which says where a new one begins.")

    @property
    def columns(self) -> list[str]:
        """Return the columns that were chosen."""
        one = (self.question, self.answer, self.text, self.system, self.context)
        of_messages = (self.conversation, self.order, self.speaker, self.words, self.key)
        return [column for column in (*one, *of_messages, *self.turns) if column]

    @property
    def has_columns(self) -> bool:
        """Say whether anything was said about columns."""
        return bool(self.columns or self.begins or self.tells)

    def with_roles(self, roles: dict[str, str] | None) -> Mapping:
        """Return the same columns with what was said about who speaks."""
        return replace(self, roles=roles)

    def as_json(self) -> dict[str, Any]:
        stored = asdict(self)
        if not self.has_columns:
            roles: dict[str, Any] = {}
            if self.roles or self.passages is None:
                roles = {"roles": self.roles}
            if self.pauses:
                roles["pauses"] = self.pauses
            return roles if self.passages is None else {**roles, "passages": self.passages}
        stored["turns"] = list(self.turns)
        return {name: told for name, told in stored.items() if told or name in FIRST_KINDS}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Mapping:
        """Return the mapping whose `as_json` gave this."""
        return cls(**{**stored, "turns": tuple(stored.get("turns", ()))})

    @property
    def sha256(self) -> str:
        canonical = json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Guess:
    """One way to decode a file: its first lines, and the words that tell it from the others."""

    encoding: str
    lines: tuple[str, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody whose role is unknown: turns, conversations, how many they open, first words."""

    name: str
    turns: int
    talks: int
    opened: int
    examples: tuple[str, ...] = ()

    def plus(self, other: Speaker) -> Speaker:
        """Return both as one."""
        return Speaker(
            self.name,
            self.turns + other.turns,
            self.talks + other.talks,
            self.opened + other.opened,
            self.examples or other.examples,
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a person must choose before a file can be read.

    For `needs_mapping`: `columns`, the first `rows` as text, and a `suggested` mapping or None.
    For `needs_encoding`: a few `guesses`, the likeliest first.
    For `needs_speakers`: the `speakers` of unknown role in the first `talks`, and a suggestion.
    """

    code: Literal["needs_mapping", "needs_encoding", "needs_speakers"]
    why: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    suggested: Mapping | None = None
    guesses: tuple[Guess, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    talks: int = 0

    @classmethod
    def speakers_from_json(cls, stored: typing.Mapping[str, Any]) -> Waiting:
        """Return what was stored of a question about speakers."""
        found = (
            Speaker(**{**one, "examples": tuple(one["examples"])}) for one in stored["speakers"]
        )
        return cls("needs_speakers", stored["why"], speakers=tuple(found), talks=stored["talks"])


class WaitingError(CorpusError):
    """Raised by `readers.reading.read` before its first item when a person must choose."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(waiting.why)
        self.waiting = waiting


@dataclass(slots=True)
class ByteTally:
    """Counts of one file: loaded + skipped + failed is the number of bytes seen."""

    loaded: int = 0
    skipped: int = 0
    failed: int = 0
    records: int = 0
    problems: int = 0

    def add(self, item: Item) -> None:
        """Count one item."""
        size = item.end - item.start
        if isinstance(item, Record | Joined):
            self.loaded += size
            self.records += isinstance(item, Record)
        elif isinstance(item, Problem):
            self.failed += size
            self.problems += 1
        else:
            self.skipped += size

    @property
    def total(self) -> int:
        return self.loaded + self.skipped + self.failed

    def count(self, item: Item) -> None:
        """Count one item of a document, whose bytes are accounted for as a whole."""
        self.records += isinstance(item, Record)
        self.problems += isinstance(item, Problem)

    def verdict(self) -> tuple[Literal["loaded", "skipped", "failed"], str]:
        """Return the file's final verdict and its reason code ("" when it was loaded)."""
        if self.records:
            return "loaded", ""
        if self.failed:
            return "failed", "no_conversations"
        return "skipped", "no_conversations" if self.total else "empty"


PartVerdict: TypeAlias = Literal["loaded", "skipped", "failed"]


@dataclass(slots=True)
class PartTally:
    """Counts of a document's parts: loaded + skipped + failed is the number of parts seen."""

    loaded: int = 0
    skipped: int = 0
    failed: int = 0

    def add(self, verdict: PartVerdict) -> None:
        """Count one part."""
        setattr(self, verdict, getattr(self, verdict) + 1)

    @property
    def total(self) -> int:
        return self.loaded + self.skipped + self.failed
