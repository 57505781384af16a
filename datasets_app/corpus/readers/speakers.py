"""Who speaks in a file, where words alone do not tell: asked of a person before it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from datasets_app.corpus.conversation import ASSISTANT, ROLES, USER
from datasets_app.corpus.parsing.casting import OTHERS
from datasets_app.corpus.parsing.greetings import asks, presents
from datasets_app.corpus.roles import canonical, speaker_role
from datasets_app.corpus.source import Item, Record, Speaker, Waiting, WaitingError
from datasets_app.corpus.source import Mapping as Choice

# All chosen by hand.
LOOKED_AT = 200  # conversations, and as many bytes, before the first one is let through
LOOKED_AT_BYTES = 4 << 20
LEAST_SHARE = 0.1  # of them has to have somebody unknown; fewer are left to the rules
MOST_NAMES = 40  # that are asked for; all others share one role
EXAMPLES, EXAMPLE_SIGNS = 3, 120
PAIR, FEW = 2, 4  # people: of so few one greets for a desk, or asks less than the other
IN_MOST = 0.5  # of several conversations: who takes part in so many answers in them


@dataclass(slots=True)
class _Seen:
    """What was seen of one name."""

    turns: int = 0
    talks: int = 0
    opened: int = 0
    examples: list[str] = field(default_factory=list)


def asking(items: Iterator[Item]) -> Iterator[Item]:
    """Yield a reader's items; raises WaitingError before the first where nobody knows who speaks.

    A speaker of unknown role has a name in the place of the role.
    """
    looked: list[Item] = []
    records: list[Record] = []
    size = 0
    for item in items:
        looked.append(item)
        size += item.end - item.start
        if isinstance(item, Record):
            records.append(item)
        if len(records) == LOOKED_AT or len(looked) == 50 * LOOKED_AT or size > LOOKED_AT_BYTES:
            break
    unknown = [record for record in records if any(t.role not in ROLES for t in record.turns)]
    if unknown and len(unknown) >= LEAST_SHARE * len(records):
        raise WaitingError(_waiting(unknown))
    yield from chain(looked, items)


def _waiting(records: list[Record]) -> Waiting:
    seen: dict[str, _Seen] = {}
    for record in records:
        names = [turn.role for turn in record.turns if turn.role not in ROLES]
        for name in dict.fromkeys(names):
            seen.setdefault(name, _Seen()).talks += 1
        seen[names[0]].opened += record.turns[0].role == names[0]
        for turn in record.turns:
            if turn.role not in ROLES:
                one = seen[turn.role]
                one.turns += 1
                if len(one.examples) < EXAMPLES and turn.text.strip():
                    one.examples.append(" ".join(turn.text.split())[:EXAMPLE_SIGNS])
    speakers = [
        Speaker(name, one.turns, one.talks, one.opened, tuple(one.examples))
        for name, one in seen.items()
    ]
    return _question(speakers, len(records))


def _question(speakers: list[Speaker], talks: int) -> Waiting:
    """Return what a person is asked: whoever is in most conversations stands first."""
    why = "It is not clear who asks and who answers; nothing is loaded until you say so."
    shown = tuple(sorted(speakers, key=lambda one: (-one.talks, -one.turns))[:MOST_NAMES])
    chosen = likely(speakers, talks)
    return Waiting("needs_speakers", why, speakers=shown, talks=talks, suggested=chosen)


EXPORTERS = frozenset("me myself ich moi yo eu ik ja я 我 我的 自分 나".split())
"""What an app calls the one who exports its chats, which is the shop far more often."""


def likely(speakers: Iterable[Speaker], talks: int) -> Choice:
    """Return a guess: who greets like a desk answers, or who is in most conversations.

    Of two it is the one who asks less, or opens less.
    """
    ranked = sorted(speakers, key=lambda one: (-one.talks, one.opened, -one.turns))
    first = ranked[0]
    if len(ranked) == PAIR:
        first = min(ranked, key=lambda one: (-one.talks, _asks(one), one.opened, -one.turns))
    desks = [one for one in ranked if _is_of_desk(one)] if len(ranked) <= FEW else []
    if len(desks) == 1:
        first = desks[0]
    elif talks > 1 and len(ranked) > 2 and first.talks < IN_MOST * talks:
        first = min(ranked, key=lambda one: (one.opened, -one.turns))
    roles = {canonical(one.name): USER for one in ranked[:MOST_NAMES]}
    return Choice(roles={**roles, canonical(first.name): ASSISTANT, OTHERS: USER})


def _is_of_desk(one: Speaker) -> bool:
    is_named = canonical(one.name) in EXPORTERS or speaker_role(one.name) == ASSISTANT
    return is_named or any(map(presents, one.examples))


def _asks(one: Speaker) -> float:
    """Return in how many of the shown words somebody asks, as a share."""
    asked = sum(asks(text) for text in one.examples)
    return asked / max(len(one.examples), 1)


def together(asked: Iterable[Mapping[str, object]]) -> Waiting:
    """Return what several waiting files ask as one question, from what was stored of each."""
    merged: dict[str, Speaker] = {}
    talks = 0
    for stored in asked:
        waiting = Waiting.speakers_from_json(stored)
        talks += waiting.talks
        for one in waiting.speakers:
            held = merged.get(canonical(one.name))
            merged[canonical(one.name)] = one if held is None else held.plus(one)
    return _question(list(merged.values()), talks)
