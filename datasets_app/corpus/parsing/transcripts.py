"""Who says what in a transcript: labels at line starts or inline, with or without times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from datasets_app.corpus.conversation import ASSISTANT, USER, Turn
from datasets_app.corpus.parsing.casting import LEFT_OUT, OTHERS, Roles, add_piece
from datasets_app.corpus.parsing.chat_lines import chat_line
from datasets_app.corpus.parsing.irc_lines import irc_line
from datasets_app.corpus.roles import (
    ANSWER_LABELS,
    FIELD_LABELS,
    QUESTION_LABELS,
    ROLE_OF,
    canonical,
    speaker_role,
)

FEWEST_SPEAKERS, MOST_SPEAKERS, MOST_CHATTING = 2, 12, 200
LEAST_SHARE = 0.2
MOSTLY = 0.9  # of the labels stand behind times: then those without are no speakers
LONGEST_NAME = 60
FEWEST_WORDS = 3
"""Labels that are no role words, followed by less, are a list of fields and not a talk."""
NAME = r"[^\W\d_][\w .'’\-]{0,38}(?:\s?\([^()\n]{1,30}\))?"
CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
STAMP = rf"(?:[\[(](?:{DATE},?\s+)?(?:{CLOCK}|[\d:]{{4,14}})[\])]|(?:{DATE},?\s+)?{CLOCK})\s*"
LINE = re.compile(
    rf"\A\s*+(?:(?:[-*•]|>{{1,3}})\s++)?(?:(?P<stamp>{STAMP})(?:-\s+)?)?"
    rf"(?P<mark>\*\*|__)?(?P<name>{NAME})(?:\*\*|__)?\s*"
    r"(?P<sign>[:：]|(?<=\s)[-–—](?=\s))(?:\*\*|__)?"
)
INLINE = re.compile(rf"\*\*\s*(?:{NAME})\s*(?::\*\*|\*\*\s*:)")
_KNOWN = "|".join(sorted((re.escape(word) for word in ROLE_OF if len(word) > 2), key=len))
INLINE_PLAIN = re.compile(
    rf"(?<=[.?!…\"”)\]*] )(?:{_KNOWN})(?:\s?\([^()\n]{{1,30}}\))?:(?= )", re.IGNORECASE
)
# A time that stands in a line of its own, above who speaks; and what an archive notes below it.
STAMP_LINE = re.compile(
    rf"\A\s*+(?:[\[(](?:{DATE},?\s+)?-?[\d:.,]{{4,14}}[\])]|{DATE},?\s+{CLOCK})\s*+\Z"
)
DAY = rf"(?:{DATE}|today|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day|heute|gestern)"
# How chat programs copy a message: who wrote it stands above it, beside or above the time.
HEADED = re.compile(
    rf"\A\s*+(?:\[(?:{DAY},?\s+)?{CLOCK}(?:\s•\s{DATE})?\]\s+(?P<name>{NAME})\s?:?"
    rf"|(?P<other>{NAME})\s[—–]\s{DAY},?\s(?:at\s|um\s)?{CLOCK})\s*+\Z",
    re.IGNORECASE,
)
WHEN = re.compile(rf"\A\s*+(?:(?P<day>{DAY}),?\s+(?:at\s)?)?{CLOCK}\s*+\Z", re.IGNORECASE)
PERSON = re.compile(
    r"\A\s*+[^\W\d_a-z][\w.'’-]*(?:\s[^\W\d_][\w.'’-]*){0,4}(?:\s\([^()\n]{1,20}\))?\s*+\Z"
)
NOTED = re.compile(r"\A_[a-z]{2,20}+ : ")
FENCE = re.compile(r"\A\s*+(?:```|~~~)")
GREETINGS = re.compile(
    r"how (?:can|may) (?:i|we) (?:help|assist)|thank you for (?:calling|contacting)"
    r"|what can i (?:do|help)|you(?:'|’)ve reached|i(?:'|’)d be happy to (?:help|assist)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line that begins with a speaker's label, perhaps behind a time.

    The label is "" where an exported chat holds a notice of the app, which nobody says.
    """

    label: str
    text: str
    has_time: bool = False
    introduces: tuple[str, str] | None = None
    """A name and the word for its role, where the label holds both, as in `Agent (Ben)`."""
    is_dated: bool = False


@dataclass(frozen=True, slots=True)
class Speakers:
    """The speakers that recur in a text, with how often each one speaks."""

    counts: dict[str, int]

    @property
    def is_question_list(self) -> bool:
        return set(self.counts) <= QUESTION_LABELS | ANSWER_LABELS

    def speaks(self, label: str) -> bool:
        return label in self.counts or speaker_role(label) is not None


@dataclass(slots=True)
class Talk:
    """A conversation in the making: who said what, and what stood before the first word.

    In the second piece of a long one `last` still speaks. `chosen` is what a person said about
    who speaks, as `casting.cast` takes it.
    """

    chosen: Roles = field(default_factory=dict)
    heading: list[str] = field(default_factory=list)
    said: list[tuple[str, list[str]]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    last: str = ""
    notices: int = 0


def carried(talk: Talk) -> Talk:
    """Return the next piece of a talk that is divided: roles stay, and the same speaker goes on."""
    roles = {label: role for label, role in _roles(talk)[0].items() if role != label}
    last = talk.said[-1][0] if talk.said else talk.last
    return Talk(talk.chosen, aliases={**talk.aliases, **roles}, last=last)


def labelled(line: str) -> Labelled | None:
    """Return the speaker's label and the rest of the line, or None where no speaker begins."""
    chat = chat_line(line) or irc_line(line)
    if chat is not None:
        label = canonical(chat.name) if chat.name else ""
        return Labelled(label, chat.text, has_time=True, is_dated=True)
    may_be_headed = line.lstrip()[:1] == "[" or "—" in line or "–" in line  # or it costs too much
    headed = HEADED.match(line[:200]) if may_be_headed else None
    if headed and _is_person(headed["name"] or headed["other"]):
        label = canonical(headed["name"] or headed["other"])
        return Labelled(label, "", has_time=True, is_dated=True)
    found = LINE.match(line[:400])
    if found is None or (found["sign"] not in ":：" and not found["stamp"]):
        return None
    name = found["name"].strip()
    if len(name.split()) > 5 or line[found.end() : found.end() + 2] == "//":
        return None
    text = line[found.end() :].strip()
    return Labelled(canonical(name), text, bool(found["stamp"]), _introduced(name))


def _is_person(name: str) -> bool:
    """Say whether words are a first and a last name, and no short answer with a capital letter."""
    words = name.split()
    return bool(PERSON.match(name)) and len(words) > 1 and words[-1][:1] != words[-1][:1].lower()


def written_above(before: str, line: str) -> Labelled | None:
    """Return who wrote what comes below, where a name and then a time stand in lines alone."""
    when = WHEN.match(line)
    if when is None or len(before) > LONGEST_NAME or not PERSON.match(before):
        return None
    return Labelled(canonical(before), "", has_time=bool(when["day"]), is_dated=True)


def _introduced(label: str) -> tuple[str, str] | None:
    """Return the name and the role of `Agent (Ben)`, `Ben (agent)` or `Agent Ben`.

    Further down he may be just `Ben`.
    """
    parts = label.casefold().split()
    if len(parts) == 2 and "(" not in label and parts[0] in ROLE_OF and parts[1] not in ROLE_OF:
        return parts[1], parts[0]
    outside, sign, inside = label.partition("(")
    words = canonical(outside), canonical(inside.rstrip(") "))
    if not sign or not all(words) or (words[0] in ROLE_OF) == (words[1] in ROLE_OF):
        return None
    return (words[1], words[0]) if words[0] in ROLE_OF else words


def one_turn_per_line(text: str) -> str:
    """Put each inline label, as in one long Markdown line, on a line of its own."""
    for pattern in (INLINE, INLINE_PLAIN):
        if len(pattern.findall(text)) >= 3:
            return pattern.sub(lambda found: "\n" + found[0], text)
    return text


def find_speakers(lines: Iterable[str], *, are_timed: bool = False) -> Speakers | None:
    """Return who speaks, if 2 to 12 labels recur on a fifth of the non-empty lines.

    A label behind a time, or one that was introduced with its role, need not recur; so does none
    where all lines `are_timed`.
    """
    told = _counted(lines, are_timed=are_timed)
    counts, timed = told.counts, told.timed
    alone = timed | told.introduced
    if sum(counts[label] for label in timed) >= MOSTLY * sum(counts.values()):
        counts = Counter({label: n for label, n in counts.items() if label in alone})
    recurring = {label: n for label, n in counts.items() if n >= 2 or label in alone}
    known = {label: count for label, count in counts.items() if speaker_role(label)}
    speakers = recurring | known if recurring or len(known) >= 2 else {}
    most = MOST_CHATTING if speakers.keys() <= timed else MOST_SPEAKERS
    if not FEWEST_SPEAKERS <= len(speakers) <= most:
        return None
    is_sure = {speaker_role(label) for label in speakers} == {USER, ASSISTANT}
    fewest = 2 if is_sure or speakers.keys() <= timed else 3
    if sum(speakers.values()) < max(fewest, LEAST_SHARE * told.seen):
        return None
    are_fields = not known and told.dated < sum(counts.values())
    if are_fields and told.words < FEWEST_WORDS * sum(counts.values()):
        return None
    return Speakers(speakers)


@dataclass(slots=True)
class _Counts:
    """What stands at the heads of lines: labels, which of them are sure, and how much beside."""

    counts: Counter[str] = field(default_factory=Counter)
    timed: set[str] = field(default_factory=set)
    introduced: set[str] = field(default_factory=set)
    seen: int = 0
    words: int = 0
    dated: int = 0

    def add(self, found: Labelled, *, is_timed: bool) -> None:
        self.counts[found.label] += 1
        self.words += len(found.text.split())
        self.timed |= {found.label} if is_timed else set()
        self.dated += found.is_dated
        self.introduced |= {found.introduces[0]} if found.introduces else set()


def _counted(lines: Iterable[str], *, are_timed: bool) -> _Counts:
    told = _Counts()
    is_below_stamp = False
    before = ""
    for line in _outside_fences(lines):
        above = written_above(before, line)
        before = line
        if above:
            told.add(above, is_timed=above.has_time)
            continue
        if STAMP_LINE.match(line):
            is_below_stamp = True
            continue
        found = labelled(line)
        if found and (not found.label or found.label in FIELD_LABELS):
            continue
        told.seen += 1
        if found:
            told.add(found, is_timed=found.has_time or are_timed or is_below_stamp)
            is_below_stamp = False
    return told


def _outside_fences(lines: Iterable[str]) -> Iterator[str]:
    """Yield non-empty lines outside fenced code, where a label is no speaker."""
    fenced = False
    for line in lines:
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and line.strip():
            yield line


def add_line(talk: Talk, line: str, speakers: Speakers) -> None:
    """Add one line: a speaker begins, goes on, or has not begun yet."""
    lines = talk.said[-1][1] if talk.said else talk.heading
    above = written_above(lines[-1], line) if lines else None
    if above and above.label in speakers.counts:
        lines.pop()
        talk.said.append((above.label, []))
        return
    if STAMP_LINE.match(line) or NOTED.match(line):
        return
    found = labelled(line)
    if found and found.introduces:
        talk.aliases.setdefault(*found.introduces)
    if found and not found.label:
        talk.notices += 1
    elif found is None or not speakers.speaks(found.label):
        _continue(talk, line.strip())
    elif _is_introduction(found, speakers):
        talk.aliases[canonical(found.text)] = found.label
        _continue(talk, line.strip())
    elif talk.said and talk.said[-1][0] == found.label:
        talk.said[-1][1].append(found.text)
    else:
        talk.said.append((found.label, [found.text]))


def _is_introduction(found: Labelled, speakers: Speakers) -> bool:
    """Say whether the line names a speaker, as `Agent: Daleen` does in a list of participants."""
    other = canonical(found.text)
    return other != found.label and other in speakers.counts


def _continue(talk: Talk, text: str) -> None:
    if not text:
        return
    if not talk.said and talk.last:
        talk.said.append((talk.last, []))
    lines = talk.said[-1][1] if talk.said else talk.heading
    lines.append(text)


def finish(talk: Talk) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Return the turns with their roles, and a note on each speaker whose role was guessed."""
    roles, notes = _roles(talk)
    if talk.notices:
        notes = (*notes, f"{talk.notices} notices of the chat app or its omissions were left out")
    turns: list[Turn] = []
    for label, lines in talk.said:
        if roles[label] == LEFT_OUT:
            continue
        text = "\n".join(line for line in lines if line)
        add_piece(turns, Turn(roles[label], text))
    return tuple(turns), notes


def _roles(talk: Talk) -> tuple[dict[str, str], tuple[str, ...]]:
    labels = list(dict.fromkeys(label for label, _ in talk.said))
    known = {label: _known_role(talk, label) for label in labels}
    missing = [label for label in labels if known[label] is None]
    guessed: dict[str, str] = {}
    if len(labels) == 2 and missing:
        guessed = _guess(talk, labels, known)
    notes = [f"{label} was read as the {role}; please check" for label, role in guessed.items()]
    notes += [f"{label} is a speaker of unknown role" for label in missing if label not in guessed]
    roles = {label: known[label] or guessed.get(label) or label for label in labels}
    return roles, tuple(notes)


def _known_role(talk: Talk, label: str) -> str | None:
    if label in talk.chosen:
        return talk.chosen[label]
    return speaker_role(talk.aliases.get(label, label)) or talk.chosen.get(OTHERS)


def _guess(talk: Talk, labels: list[str], known: dict[str, str | None]) -> dict[str, str]:
    """Guess the roles of two speakers: the other one, or the one who offers help first."""
    other = {USER: ASSISTANT, ASSISTANT: USER}
    sure = next((known[label] for label in labels if known[label]), None)
    if sure in other:
        return {label: other[sure] for label in labels if known[label] is None}
    helper = next(
        (label for label, lines in talk.said[:6] if GREETINGS.search(" ".join(lines))), None
    )
    if helper is None:
        return {}
    return {label: ASSISTANT if label == helper else USER for label in labels}


def read_text(text: str, chosen: Roles) -> tuple[tuple[Turn, ...], tuple[str, ...]] | None:
    """Return the turns of a transcript held in one string, or None when nobody is labelled."""
    lines = re.split(r"\r\n|\n|\r", one_turn_per_line(text))
    speakers = find_speakers(lines)
    if speakers is None:
        return None
    talk = Talk(chosen)
    for line in lines:
        add_line(talk, line, speakers)
    turns, notes = finish(talk)
    return (turns, notes) if len(turns) >= 2 else None
