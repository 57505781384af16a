"""Who says what in a transcript: labels at line starts or inline, with or without times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from datasets_app.corpus.conversation import ASSISTANT, ROLES, USER, Turn
from datasets_app.corpus.parsing import heads
from datasets_app.corpus.parsing.casting import LEFT_OUT, OTHERS, Roles, add_piece
from datasets_app.corpus.parsing.chat_lines import MARKS, chat_line
from datasets_app.corpus.parsing.greetings import asks_for, offered_roles
from datasets_app.corpus.parsing.heads import CLOCK, DATE, DAY, NAME, STAMP_LINE
from datasets_app.corpus.parsing.irc_lines import irc_line
from datasets_app.corpus.parsing.moments import clock_of
from datasets_app.corpus.roles import (
    ANSWER_LABELS,
    FIELD_LABELS,
    QUESTION_LABELS,
    ROLE_OF,
    canonical,
    speaker_role,
)

FEWEST_SPEAKERS, MOST_SPEAKERS, MOST_CHATTING = 2, 12, 200
LEAST_SHARE, LEAST_ABOVE, LEAST_IN_BRACKETS = 0.2, 0.1, 0.4
"""Of the lines, those with a label; where names stand above what is said, or in brackets."""
MOSTLY = 0.9  # of the labels stand behind times: then those without are no speakers
LONGEST_NAME = 60
FEWEST_WORDS = 3
"""Labels that are no role words, followed by less, are a list of fields and not a talk."""
MOST_STAMPS = 2000  # from which is told how dates are written
# Who speaks where somebody chats with a program, and seldom asks with a sign for it.
OF_PROGRAMS = frozenset(
    "user assistant human ai prompt response bot chatbot model system gpt".split()
)
FEWEST_DIGITS = 3  # in a time
FEWEST_TURNS = 3  # under names above them or in brackets
STAMP = rf"(?:[\[(](?:{DATE},?\s+)?(?:{CLOCK}|[\d:]{{4,14}})[\])]|(?:{DATE},?\s+)?{CLOCK})\s*"
LINE = re.compile(
    rf"\A[{MARKS}\s]*+(?:(?:[-*•]|>{{1,3}})\s++)?(?:(?P<stamp>{STAMP})(?:-\s+)?)?"
    rf"(?P<mark>\*\*|__)?(?P<name>{NAME})(?:\*\*|__)?\s*"
    r"(?P<sign>[:：]|(?<=\s)[-–—](?=\s))(?:\*\*|__)?"
)
INLINE = re.compile(rf"\*\*\s*(?:{NAME})\s*(?::\*\*|\*\*\s*:)")
_KNOWN = "|".join(sorted((re.escape(word) for word in ROLE_OF if len(word) > 2), key=len))
INLINE_PLAIN = re.compile(
    rf"(?<=[.?!…\"”)\]*] )(?:{_KNOWN})(?:\s?\([^()\n]{{1,30}}\))?:(?= )", re.IGNORECASE
)
IN_BRACKETS = re.compile(r"\A\s*+(?:\[[^\[\]\n]{1,60}\]|\([^()\n]{1,60}\))\s*+\Z")
WORD = re.compile(r"[^\W\d_]{3}")
WHEN = re.compile(rf"\A\s*+(?:(?P<day>{DAY}),?\s+(?:at\s)?)?{CLOCK}\s*+\Z", re.IGNORECASE)
PERSON = re.compile(
    r"\A\s*+[^\W\d_a-z][\w.'’-]*(?:\s[^\W\d_][\w.'’-]*){0,4}(?:\s\([^()\n]{1,20}\))?\s*+\Z"
)
NOISE = re.compile(
    rf"\A\s*+(?:{STAMP}[\[(][^\[\]()\n]{{2,30}}[\])]"
    r"|[\[(](?:silence|music|pause|inaudible|crosstalk|laughter|applause|noise|stille|musik"
    r"|silencio|música|silence|musique)[\])]|transcribed by https?://\S{1,60}|\(-\s[^\n]{1,200}\s-\))\s*+\Z",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?…。！？؟।]['\"”’)»]?\Z")
QUESTION = re.compile(r"[?？؟;]['\"”’)»]?\Z")
ASKED = re.compile(r"[?？؟](?:[\s'\"”’)»*_]|\Z)|[？؟]")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
BARE_ID = re.compile(r"\A#?[\w-]{0,40}\d[\w-]{0,40}\Z")
PARENTHESIS = re.compile(r"\([^()]*+\)")
NOTED = re.compile(r"\A_[a-z]{2,20}+ : ")
FENCE = re.compile(r"\A\s*+(?:```|~~~)")


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
    name: str = ""
    """The label as it is written."""
    is_above: bool = False
    """What is said stands below; the line is a label only if it comes again."""
    is_in_brackets: bool = False
    stamp: str = ""
    has_day: bool = False
    """A day stands beside the time, as hardly any timetable has it."""


@dataclass(frozen=True, slots=True)
class Speakers:
    """The speakers that recur in a text, with how often each one speaks."""

    counts: dict[str, int]
    dividers: frozenset[str] = frozenset()
    """Labels before nothing but a number, as `Conversation ID: 101`: there a talk begins."""
    has_times_first: bool = False
    """Names stand below a line with a time, and not above it."""
    clock: Callable[[str], float | None] | None = None
    """What reads the times of messages as seconds, where they have dates."""
    is_doubtful: bool = False
    """The words for roles may be headings of a text, or tags: then a person is asked."""

    @property
    def is_question_list(self) -> bool:
        return set(self.counts) <= QUESTION_LABELS | ANSWER_LABELS

    def speaks(self, found: Labelled) -> bool:
        """Say whether it is somebody who speaks at the head of a line."""
        if found.label in self.counts:
            return True
        is_loose = found.is_above or found.is_in_brackets or found.label in self.dividers
        return not is_loose and speaker_role(found.label) is not None


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
    is_dated: bool = False
    names: dict[str, str] = field(default_factory=dict)
    """Labels as they were written first."""
    is_below_time: bool = False
    is_doubtful: bool = False
    """Only a person knows the roles, whatever the labels are."""


def anew(talk: Talk) -> Talk:
    """Return another talk of the same text, in which nobody spoke yet."""
    return Talk(talk.chosen, is_doubtful=talk.is_doubtful)


def carried(talk: Talk) -> Talk:
    """Return the next piece of a talk that is divided: roles stay, and the same speaker goes on."""
    roles = {label: role for label, role in _roles(talk)[0].items() if role in ROLES}
    last = talk.said[-1][0] if talk.said else talk.last
    return Talk(
        talk.chosen,
        aliases={**talk.aliases, **roles},
        last=last,
        names=talk.names,
        is_doubtful=talk.is_doubtful,
    )


def opens_anew(talk: Talk, label: str) -> bool:
    """Say whether this speaker, after a pause, begins a new talk: others spoke last, and asks."""
    if len({one for one, _ in talk.said}) < FEWEST_SPEAKERS or talk.said[-1][0] == label:
        return False
    return _known_role(talk, label) in {None, USER}


def is_asked(talk: Talk) -> bool:
    """Say whether whoever spoke last asks for something, so that an answer may follow."""
    told = " ".join(line for line in talk.said[-1][1] if line) if talk.said else ""
    return asks_for(told)


def after(talk: Talk) -> Talk:
    """Return the next talk of the same people: what is known of them stays."""
    return replace(carried(talk), last="")


def labelled(line: str, *, is_below_time: bool = False) -> Labelled | None:
    """Return the speaker's label and the rest of the line, or None where no speaker begins."""
    chat = chat_line(line) or irc_line(line)
    if chat is not None:
        is_name = not chat.name and heads.may_be_name(chat.alone)
        name = chat.alone if is_name else chat.name
        has_time = not is_name or _is_person(name)
        label = canonical(name) if name else ""
        return Labelled(
            label,
            chat.text,
            has_time,
            is_dated=True,
            name=name,
            is_above=is_name,
            stamp=chat.stamp,
            has_day=True,
        )
    head = heads.above(line, is_below_time=is_below_time)
    is_sure = head is not None and head.has_time and _is_person(head.name)
    if head and (is_sure or not line.rstrip().endswith((":", "："))):
        label = canonical(head.name)
        shown = Labelled(label, "", is_sure, is_dated=is_sure, name=head.name, is_above=True)
        return replace(shown, has_day=is_sure and head.has_day)
    return _before_colon(line) or _in_brackets(line)


def _in_brackets(line: str) -> Labelled | None:
    head = heads.bracketed(line)
    if head is None:
        return None
    return Labelled(canonical(head.name), head.text, name=head.name, is_in_brackets=True)


def _before_colon(line: str) -> Labelled | None:
    found = LINE.match(line[:400])
    if found is None or (found["sign"] not in ":：" and not found["stamp"]):
        return None
    name = found["name"].strip()
    if len(name.split()) > 5 or line[found.end() : found.end() + 2] == "//":
        return None
    text = line[found.end() :].strip()
    shown = " ".join(PARENTHESIS.sub("", name).split()) or name
    return Labelled(canonical(name), text, bool(found["stamp"]), _introduced(name), name=shown)


def _is_person(name: str) -> bool:
    """Say whether words are a first and a last name, and no short answer with a capital letter."""
    words = name.split()
    return bool(PERSON.match(name)) and len(words) > 1 and words[-1][:1] != words[-1][:1].lower()


def written_above(before: str, line: str) -> Labelled | None:
    """Return who wrote what comes below, where a name and then a time stand in lines alone."""
    when = WHEN.match(line)
    if when is None or len(before) > LONGEST_NAME or not PERSON.match(before):
        return None
    has_day = bool(when["day"])
    shown = Labelled(canonical(before), "", has_day, is_dated=True, name=before.strip())
    return replace(shown, has_day=has_day)


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
    if len(INLINE.findall(text)) >= 3:
        return INLINE.sub(lambda found: "\n" + found[0], text)
    return _divided(text) if len(INLINE_PLAIN.findall(text)) >= 3 else text


def _divided(text: str) -> str:
    """Put known labels on lines of their own, but not those behind a time at the head of one."""
    return INLINE_PLAIN.sub(
        lambda found: found[0] if _is_behind_time(text, found.start()) else "\n" + found[0], text
    )


def _is_behind_time(text: str, place: int) -> bool:
    """Say whether nothing but a time, perhaps in brackets, stands before this place in its line."""
    before = text[max(0, place - LONGEST_NAME) : place]
    line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
    if len(line) == LONGEST_NAME or sum(sign.isdigit() for sign in line) < FEWEST_DIGITS:
        return False
    return bool(IN_BRACKETS.match(line)) or WORD.search(line) is None


def find_speakers(
    lines: Iterable[str], *, are_timed: bool = False, is_file: bool = False
) -> Speakers | None:
    """Return who speaks, if 2 to 12 labels recur on a fifth of the non-empty lines.

    A label behind a time, or one that was introduced with its role, need not recur; so does none
    where all lines `are_timed`. In a short `is_file` of nothing else two labels need not, either.
    """
    told = _counted(lines, are_timed=are_timed)
    counts, timed = told.counts, told.timed
    dividers = told.dividers()
    for label in dividers:
        del counts[label]
    alone = timed | told.introduced
    if sum(counts[label] for label in timed) >= MOSTLY * sum(counts.values()):
        counts = Counter({label: n for label, n in counts.items() if label in alone})
    recurring = {label: n for label, n in counts.items() if n >= 2 or label in alone}
    known = {label: count for label, count in counts.items() if speaker_role(label)}
    speakers = recurring | known if recurring or len(known) >= 2 else {}
    if is_file and len(speakers) < FEWEST_SPEAKERS and told.is_all_said():
        speakers = dict(counts)
    if told.is_too_loose(speakers):
        return None
    most = MOST_CHATTING if speakers.keys() <= timed else MOST_SPEAKERS
    if not FEWEST_SPEAKERS <= len(speakers) <= most:
        return None
    is_sure = {speaker_role(label) for label in speakers} == {USER, ASSISTANT}
    fewest = 2 if is_sure or speakers.keys() <= timed or is_file else 3
    share = LEAST_ABOVE if told.above else LEAST_SHARE
    if sum(speakers.values()) < max(fewest, share * told.seen):
        return None
    are_fields = not known and 2 * told.dated < sum(counts.values()) and not told.is_talk()
    if are_fields and told.words < FEWEST_WORDS * sum(counts.values()):
        return None
    clock = clock_of(told.stamps) if told.stamps else None
    is_doubtful = is_sure and told.are_headings(speakers)
    return Speakers(speakers, dividers, told.has_times_first, clock, is_doubtful)


@dataclass(slots=True)
class _Counts:
    """What stands at the heads of lines: labels, which of them are sure, and how much beside."""

    counts: Counter[str] = field(default_factory=Counter)
    timed: set[str] = field(default_factory=set)
    introduced: set[str] = field(default_factory=set)
    ids: Counter[str] = field(default_factory=Counter)
    above: int = 0
    bracketed: int = 0
    seen: int = 0
    words: float = 0
    dated: int = 0
    days: int = 0
    sentences: int = 0
    questions: int = 0
    has_times_first: bool = False
    stamps: list[str] = field(default_factory=list)
    has_question: bool = False
    """Somewhere in the text, and not just at the end of what is said."""
    returns: int = 0
    """How often somebody speaks again after another."""
    last: str = ""

    def add(self, found: Labelled, *, is_timed: bool, text: str = "") -> None:
        said = found.text or text.strip()
        self.returns += found.label in self.counts and found.label != self.last
        self.last = found.label
        self.counts[found.label] += 1
        self.words += len(said.split()) + len(UNSPACED.findall(said[:400])) / 3
        self.sentences += bool(SENTENCE_END.search(said))
        self.questions += bool(QUESTION.search(said))
        self.ids[found.label] += bool(BARE_ID.match(said))
        self.above += found.is_above
        if found.stamp and len(self.stamps) < MOST_STAMPS:
            self.stamps.append(found.stamp)
        self.bracketed += found.is_in_brackets
        self.timed |= {found.label} if is_timed else set()
        self.dated += found.is_dated
        self.days += found.has_day
        self.introduced |= {found.introduces[0]} if found.introduces else set()

    def dividers(self) -> frozenset[str]:
        """Return the labels behind which nothing but a number or a code stands each time."""
        bare = (label for label, n in self.ids.items() if 2 <= self.counts[label] == n)
        return frozenset(
            label for label in bare if label not in self.timed and not speaker_role(label)
        )

    def is_talk(self) -> bool:
        """Say whether what stands behind labels is said: somebody asks, in whole sentences."""
        return self.questions > 0 and self.sentences >= MOSTLY * sum(self.counts.values())

    def is_all_said(self) -> bool:
        """Say whether two labels stand before all there is, and what follows is sentences."""
        total = sum(self.counts.values())
        is_asked = total > 2 or self.questions > 0
        has_two = len(self.counts) == FEWEST_SPEAKERS and total >= MOSTLY * self.seen
        return has_two and is_asked and self.sentences >= MOSTLY * total

    def is_too_loose(self, speakers: dict[str, int]) -> bool:
        """Say whether little besides loose labels, which must recur, tells that it is a talk."""
        total = sum(speakers.values())
        if not self.are_loose(speakers):
            return False
        is_timed = speakers.keys() <= self.timed
        is_sure = {speaker_role(label) for label in speakers} == {USER, ASSISTANT}
        is_asked = self.has_question and (is_timed or self.returns > 0)
        if 2 * self.days < total and not is_sure and not is_asked:
            return True
        if is_timed:
            return False
        is_bare = self.above and not is_sure
        few = total < FEWEST_TURNS and (is_bare or self.bracketed > 0)
        return few or total < self.bracketed_share() * self.seen

    def are_loose(self, speakers: dict[str, int]) -> bool:
        """Say whether most labels stand above what is said, or in brackets."""
        return 2 * (self.above + self.bracketed) >= max(1, sum(speakers.values()))

    def are_headings(self, speakers: dict[str, int]) -> bool:
        """Say whether words for roles may be headings: nobody asks, nor is a program named."""
        is_plain = speakers.keys().isdisjoint(OF_PROGRAMS) and not self.dated
        return is_plain and not self.has_question and self.are_loose(speakers)

    def bracketed_share(self) -> float:
        return LEAST_IN_BRACKETS if self.bracketed else LEAST_ABOVE


def _counted(lines: Iterable[str], *, are_timed: bool) -> _Counts:
    told = _Counts()
    is_below_stamp = False
    before = ""
    waiting: Labelled | None = None
    for line in _outside_fences(lines):
        told.has_question = told.has_question or bool(ASKED.search(line))
        is_stamp = bool(STAMP_LINE.match(line))
        told.has_times_first |= is_stamp and not told.seen and not before
        above = None if told.has_times_first else written_above(before, line)
        before = line
        if above:
            told.above += not above.has_time
            told.add(above, is_timed=above.has_time)
            continue
        if is_stamp:
            is_below_stamp = True
            continue
        found = labelled(line, is_below_time=is_below_stamp and told.has_times_first)
        told.seen += waiting is not None
        if waiting and found is None:
            told.add(waiting, is_timed=waiting.has_time, text=line)
        waiting = found if found and found.is_above else None
        if waiting or (found and (not found.label or found.label in FIELD_LABELS)):
            is_below_stamp = False
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
    if not line.strip():
        return
    lines = talk.said[-1][1] if talk.said else talk.heading
    above = written_above(lines[-1], line) if lines and not speakers.has_times_first else None
    if above and above.label in speakers.counts:
        lines.pop()
        _begin(talk, above)
        return
    if STAMP_LINE.match(line) or NOTED.match(line) or NOISE.match(line):
        talk.is_below_time = speakers.has_times_first
        return
    if talk.is_dated and line.lstrip()[:1] == ">":
        return  # what is quoted above a message in an export
    found = labelled(line, is_below_time=talk.is_below_time)
    talk.is_dated |= bool(found and found.is_dated)
    talk.is_below_time = False
    if found and found.introduces:
        talk.aliases.setdefault(*found.introduces)
    if found and _is_notice(found, speakers):
        talk.notices += 1
    elif found is None or not speakers.speaks(found):
        _continue(talk, line.strip())
    elif _is_introduction(found, speakers):
        talk.aliases[canonical(found.text)] = found.label
        _continue(talk, line.strip())
    else:
        _begin(talk, found)


def _is_notice(found: Labelled, speakers: Speakers) -> bool:
    """Say whether the app speaks: nobody is named, or only behind a date where no name stands."""
    is_alone = found.is_above and bool(found.stamp)
    return not found.label or (is_alone and found.label not in speakers.counts)


def _begin(talk: Talk, found: Labelled) -> None:
    """Let somebody speak, or go on."""
    talk.names.setdefault(found.label, found.name or found.label)
    if talk.said and talk.said[-1][0] == found.label:
        talk.said[-1][1].append(found.text)
    else:
        talk.said.append((found.label, [found.text] if found.text else []))


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
    if len(labels) == 2 and missing and not talk.is_doubtful:
        guessed = _guess(talk, labels, known)
    shown = {label: talk.names.get(label, label) for label in labels}
    notes = [f"{shown[one]} was read as the {role}; please check" for one, role in guessed.items()]
    notes += [f"{shown[one]} is a speaker of unknown role" for one in missing if one not in guessed]
    roles = {label: known[label] or guessed.get(label) or shown[label] for label in labels}
    return roles, tuple(notes)


def _known_role(talk: Talk, label: str) -> str | None:
    if label in talk.chosen:
        return talk.chosen[label]
    if talk.is_doubtful:
        return talk.chosen.get(OTHERS)
    return speaker_role(talk.aliases.get(label, label)) or talk.chosen.get(OTHERS)


def _guess(talk: Talk, labels: list[str], known: dict[str, str | None]) -> dict[str, str]:
    """Guess the roles of two speakers: the other one, or the one who offers help first."""
    other = {USER: ASSISTANT, ASSISTANT: USER}
    sure = next((known[label] for label in labels if known[label]), None)
    if sure in other:
        return {label: other[sure] for label in labels if known[label] is None}
    return offered_roles((label, " ".join(lines)) for label, lines in talk.said)


def _unfolded(text: str) -> str:
    """Put each label on a line of its own; in a single line that begins with one, also of two."""
    is_line = "\n" not in text.strip() and "\r" not in text.strip()
    first = _before_colon(text) if is_line else None
    if first and speaker_role(first.label):
        return _divided(text)
    return one_turn_per_line(text)


def read_text(text: str, chosen: Roles) -> tuple[tuple[Turn, ...], tuple[str, ...]] | None:
    """Return the turns of a transcript held in one string, or None when nobody is labelled."""
    lines = re.split(r"\r\n|\n|\r", _unfolded(text))
    speakers = find_speakers(lines)
    if speakers is None or (speakers.is_doubtful and not chosen):
        return None
    talk = Talk(chosen)
    for line in lines:
        add_line(talk, line, speakers)
    turns, notes = finish(talk)
    return (turns, notes) if len(turns) >= 2 else None


def is_labelled(text: str) -> bool:
    """Say whether who speaks stands before the lines of a text, or words that look like it."""
    return read_text(text, {}) is not None


def is_talk(text: str) -> bool:
    """Say whether a text with labels certainly is a talk, and no card with fields."""
    told = read_text(text, {})
    return told is not None and is_told(told[0])


def is_told(turns: tuple[Turn, ...]) -> bool:
    """Say whether these are turns of a talk: somebody asks, or speaks again."""
    return len(turns) > 2 or any(ASKED.search(turn.text) for turn in turns)
