"""Mails, one in a file or many in a mailbox: a thread is a conversation, headers are no text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.mails import SENDER_LINE, Letter, is_desk, is_mail, read_mail
from datasets_app.corpus.parsing.quoted import new_words
from datasets_app.corpus.parsing.said import Said
from datasets_app.corpus.readers.job import Job
from datasets_app.corpus.readers.threads import Message, Told, joined
from datasets_app.corpus.source import Gap, Item, Problem

LARGEST_READ = 4 << 20  # bytes of one mail that are looked at; behind them lie attachments
MOST_NAMES = 100_000  # addresses whose first name is remembered


@dataclass(slots=True)
class Threads:
    """Which talk each mail is of, by the hashes of all names that its thread is known by."""

    talks: dict[int, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def talk_of(self, letter: Letter, number: int) -> tuple[int, tuple[int, ...]]:
        """Return the talk of a mail, and those that turn out to be the same."""
        keys = [hash(name) for name in letter.thread] or [hash(("mail", number))]
        known = dict.fromkeys(self.talks[key] for key in keys if key in self.talks)
        talk, *others = [*known] or [number]
        for key in (*keys, hash(letter.about)):
            self.talks.setdefault(key, talk)
        return talk, tuple(others)

    def is_copy(self, letter: Letter) -> bool:
        """Say whether the very same mail came before, as from another folder."""
        key = hash(letter.number)
        is_known = bool(letter.number) and key in self.seen
        self.seen.add(key)
        return is_known

    def name_of(self, letter: Letter) -> str:
        """Return one name for an address, however its owner signs."""
        if len(self.names) < MOST_NAMES:
            self.names.setdefault(letter.address, letter.sender)
        return self.names.get(letter.address) or letter.sender


@dataclass(slots=True)
class _Open:
    """The mail whose lines are being read."""

    start: int
    line: int
    end: int
    data: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, line: Line) -> None:
        self.end = line.end
        if line.data is not None and self.size < LARGEST_READ:
            data = line.data[1:] if line.data.startswith(b">From ") else line.data
            self.data.append(data)
            self.size += len(data)


def is_mailbox(head: bytes) -> bool:
    """Say whether mails begin here below the line that divides them."""
    return bool(SENDER_LINE.match(head.lstrip(b"\r\n"))) and is_mail(head)


def read_one(job: Job) -> Iterator[Item]:
    """Yield the conversation of one mail."""
    yield from joined(_told(job, is_box=False), job.roles)


def read_box(job: Job) -> Iterator[Item]:
    """Yield the conversations of a mailbox."""
    yield from joined(_told(job, is_box=True), job.roles)


def _told(job: Job, *, is_box: bool) -> Iterator[Told]:
    threads, number = Threads(), 0
    held: _Open | None = None
    is_below_blank = True
    for line in split_lines(job.stream):
        data = line.data or b""
        begins = is_box and is_below_blank and bool(SENDER_LINE.match(data))
        if begins or held is None:
            if held is not None:
                number += 1
                yield _mail(held, threads, number)
            held = _Open(line.start, line.number, line.end)
        if not begins:
            held.add(line)
        is_below_blank = not data.strip()
    if held is not None:
        yield _mail(held, threads, number + 1)


def _mail(held: _Open, threads: Threads, number: int) -> Message | Gap | Problem:
    """Return what one mail says; nothing where a machine wrote it or nothing in it is new."""
    letter = read_mail(b"".join(held.data).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    if letter is None or not (letter.sender or letter.address):
        message = f"Line {held.line}: this mail is damaged and could not be read."
        return Problem(held.start, held.end, held.line, 1, "bad_document", message)
    talk, others = threads.talk_of(letter, number)
    text, was_cut = new_words(letter.text)
    if letter.is_of_machine or not text or threads.is_copy(letter):
        return Gap(held.start, held.end)
    notes = []
    if was_cut:
        notes.append("quoted mails and signatures were cut")
    if letter.left_out:
        notes.append("attachments were left out")
    said = Said(threads.name_of(letter), text, _role(letter))
    meta = {"subject": letter.subject} if letter.subject else {}
    told = Message(held.start, held.end, held.line, str(talk), (said,), letter.date)
    return replace(told, notes=tuple(notes), meta=meta, also=tuple(map(str, others)))


def _role(letter: Letter) -> str:
    """Return whether a desk writes, or somebody to one; "" where the addresses do not say it."""
    if is_desk(letter.address):
        return ASSISTANT
    return USER if any(map(is_desk, letter.recipients)) else ""


EML = Format(
    kind="eml",
    name="an e-mail",
    endings=("eml",),
    fits=("txt", "mbox", "msg"),
    reader=Reader("mail", 2, read_one, is_raw=True),
    of_bytes=is_mail,
)
MBOX = Format(
    kind="mbox",
    name="a mailbox",
    endings=("mbox",),
    fits=("txt", "eml", "mbx"),
    reader=Reader("mailbox", 2, read_box, is_raw=True),
    of_bytes=is_mailbox,
)
