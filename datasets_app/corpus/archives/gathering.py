"""Files of an archive that only together say what was said: days of a channel, mails of a thread.

Their bytes are put one behind the other as a file of their own, which is read like any other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets_app.corpus.detection.encoding import clean_name
from datasets_app.corpus.formats.mail import LARGEST_READ, Threads, is_mailbox
from datasets_app.corpus.parsing.mails import SENDER_LINE, is_mail, read_mail
from datasets_app.corpus.parsing.moments import seconds

LISTS = frozenset("users.json org_users.json channels.json groups.json dms.json mpims.json".split())
DAY = re.compile(r"\A(?P<folder>.+)/(?P<day>\d{4}-\d\d-\d\d)\.json\Z", re.DOTALL)
HEAD = 1 << 16
STEP = 1 << 20
LONGEST_SUBJECT = 120
DIVIDING = b"From - Thu Jan  1 00:00:00 1970\n"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of an archive: its number there, its name, and where its bytes are."""

    number: int
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Gathering:
    """Files that are read as one of this name, in this order."""

    name: str
    files: tuple[Found, ...]
    is_mail: bool = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the whole."""
        for file in self.files:
            yield from _mail(file.path) if self.is_mail else _blocks(file.path)
            yield b"\n\n" if self.is_mail else b" "  # lists in lines of their own were JSON Lines


def gatherings(files: Sequence[Found], touch: Callable[[], None]) -> Iterator[Gathering]:
    """Yield what is read as one, each of at least two files; `touch` says that it moves."""
    yield from _channels(files)
    yield from _threads(files, touch)


def _channels(files: Sequence[Found]) -> Iterator[Gathering]:
    """Yield the channels of an export of Slack: a folder each, with a file for each day."""
    names = (file.name.rpartition("/") for file in files)
    roots = {f"{folder}{stroke}" for folder, stroke, name in names if name in LISTS}
    days: dict[str, list[tuple[str, Found]]] = defaultdict(list)
    for file in files:
        found = DAY.match(file.name)
        folder, stroke, _ = found["folder"].rpartition("/") if found else ("", "", "")
        if found and f"{folder}{stroke}" in roots and _is_whole_list(file.path):
            days[found["folder"]].append((found["day"], file))
    for folder, of_folder in days.items():
        told = sorted(of_folder, key=lambda day: day[0])
        if len(told) > 1:
            name = f"{folder}/{told[0][0]} to {told[-1][0]}.json"
            yield Gathering(name, tuple(file for _, file in told))


def _is_whole_list(path: Path) -> bool:
    """Say whether a list begins and ends with the file: a broken one would break the next."""
    with path.open("rb") as stream:
        first = stream.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        stream.seek(max(0, path.stat().st_size - HEAD))
        return first == b"[" and stream.read(HEAD).rstrip()[-1:] == b"]"


def _threads(files: Sequence[Found], touch: Callable[[], None]) -> Iterator[Gathering]:
    """Yield the threads of mails that lie in files of their own, the earliest mail first."""
    mails = [file for file in files if _is_lone_mail(file.path)]
    threads = Threads()
    firsts: dict[int, int] = {}
    talks: dict[int, list[tuple[float, Found, str]]] = defaultdict(list)
    for number, file in enumerate(mails if len(mails) > 1 else ()):
        touch()
        with file.path.open("rb") as stream:
            letter = read_mail(stream.read(LARGEST_READ))
        if letter is None:
            continue
        talk, others = threads.talk_of(letter, number)
        for other in others:
            firsts[_first(firsts, other)] = _first(firsts, talk)
        talks[talk].append((seconds(letter.date) or 0.0, file, letter.subject))
    whole: dict[int, list[tuple[float, Found, str]]] = defaultdict(list)
    for talk, sent in talks.items():
        whole[_first(firsts, talk)] += sent
    for sent in whole.values():
        if len(sent) > 1:
            told = sorted(sent, key=lambda mail: (mail[0], mail[1].number))
            subject = " ".join(told[0][2].replace("/", " ").split())[:LONGEST_SUBJECT]
            name = clean_name(f"{subject or 'Thread'} ({len(told)} mails).mbox")
            yield Gathering(name, tuple(file for _, file, _ in told), is_mail=True)


def _first(firsts: dict[int, int], talk: int) -> int:
    """Return the talk that one has become a part of."""
    while firsts.get(talk, talk) != talk:
        firsts[talk] = firsts.get(firsts[talk], firsts[talk])
        talk = firsts[talk]
    return talk


def _is_lone_mail(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    return is_mail(head) and not is_mailbox(head)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(STEP):
            yield block


def _mail(path: Path) -> Iterator[bytes]:
    """Yield a mail as a mailbox has it: no line of it looks like one that divides mails."""
    yield DIVIDING
    with path.open("rb") as stream:
        is_below_blank = True
        while line := stream.readline(STEP):
            yield b">" + line if is_below_blank and SENDER_LINE.match(line) else line
            is_below_blank = not line.strip()
