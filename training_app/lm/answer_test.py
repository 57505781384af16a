"""The truth about a model: is asked what it has not seen, does it give the facts of the answers?"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, Literal
from zlib import crc32

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, Conversation, Turn
from training_app.lm.facts import Closeness, Judgement, judge
from training_app.lm.spreading import spread
from training_app.lm.terms import terms

Kind = Literal["validation", "multi_turn", "changed", "off_topic"]
Answer = Callable[[Sequence[Sequence[Turn]]], Sequence[str]]  # of talks, to the last turn of each

# All chosen by hand.
MOST = 100  # questions of a version's own
_POOL = 2_000  # conversations that they are spread over
GOOD, FAIR = 0.8, 0.5  # shares of right answers
AT_FIRST, GROWTH = 8, 4  # questions that are asked together, and how many times more next
SECONDS_AT_ONCE = 20.0  # that they may take: a stop is heard between them
MOST_NAMED = 5  # facts that are named of each kind


class NotAskedError(Exception):
    """Nothing can be asked: what answers are made from cannot be read, as it says in a sentence."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question with the turns before it, and what is known of its answer."""

    turns: tuple[Turn, ...]
    reference: str = ""
    kind: Kind = "validation"
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """Return the last turn, which is what is asked."""
        return self.turns[-1].text


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with the reply to it and what that is worth."""

    item: Item
    reply: str
    judgement: Judgement

    @property
    def prompt(self) -> str:
        """Return what was asked, with the turns before it, as people read it."""
        return "\n".join(turn.text for turn in self.item.turns if turn.role != SYSTEM)

    @property
    def why(self) -> str:
        """Return what speaks against the reply, in words."""
        said = [
            f"{words} {', '.join(facts[:MOST_NAMED]).replace('|', ' or ')}"
            for words, facts in (
                ("lacks", self.judgement.missing),
                ("adds", self.judgement.foreign),
            )
            if facts and self.judgement.outcome in {"contradicts", "wrong"}
        ]
        return "; ".join(said)

    @property
    def has_other_code(self) -> bool:
        """Tell whether the reply names an order number or a code that nobody gave it."""
        return any(term.kind == "code" for text in self.judgement.foreign for term in terms(text))


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """How a test ended, in counts; questions about other things are counted apart."""

    right: int = 0
    contradicting: int = 0
    wrong: int = 0
    abstained: int = 0
    off_topic_abstained: int = 0
    off_topic_total: int = 0
    other_codes: int = 0  # replies with an order number or a code that nobody gave them
    unasked: int = 0  # questions that there was no time for
    seconds: float = 0.0
    trouble: str = ""  # why the test ended before its time

    @classmethod
    def of(
        cls, answered: Sequence[Answered], *, unasked: int, seconds: float, trouble: str = ""
    ) -> AnswerFigures:
        """Return the counts of what was answered."""
        on, off = Counter[str](), Counter[str]()
        for one in answered:
            (off if one.item.kind == "off_topic" else on)[one.judgement.outcome] += 1
        return cls(
            right=on["right"],
            contradicting=on["contradicts"],
            wrong=on["wrong"],
            abstained=on["abstains"],
            off_topic_abstained=off["abstains"],
            off_topic_total=off.total(),
            other_codes=sum(one.has_other_code for one in answered),
            unasked=unasked,
            seconds=round(seconds, 1),
            trouble=trouble,
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> AnswerFigures:
        """Return what was stored; of fields that it lacks, nothing was counted."""
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in (values or {}).items() if name in known})

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain values, with the total."""
        return asdict(self) | {"total": self.total}

    @property
    def total(self) -> int:
        """Return how many questions were asked that have an answer."""
        return self.right + self.contradicting + self.wrong + self.abstained

    @property
    def standing(self) -> Literal["", "good", "fair", "poor"]:
        """Return how far people can rely on the answers; empty where none was asked for."""
        if not self.total:
            return ""
        share = self.right / self.total
        if share >= GOOD and self.contradicting <= (1 - GOOD) * self.total / 2:
            return "good"
        return "fair" if share >= FAIR else "poor"

    def headline(self, split: str = "validation") -> str:
        """Return the figures in words, or nothing where no question was asked."""
        if not self.total:
            return ""
        asked = f"{self.right:,} of {self.total:,} {split} questions"
        parts = [f"{asked} answered with the same facts as the real answer"]
        for count, one, many in (
            (self.contradicting, "contradicts it", "contradict it"),
            (self.abstained, "says that it does not know", "say that it does not know"),
            (self.wrong, "misses the facts", "miss the facts"),
        ):
            if count:
                parts.append(f"{count:,} {one if count == 1 else many}")
        return "; ".join(parts) + "."

    @property
    def off_topic_remark(self) -> str:
        """Return how often it knows that it does not know; empty where nobody asked."""
        return (
            f"Asked about other things, it says in {self.off_topic_abstained:,} of"
            f" {self.off_topic_total:,} cases that it does not know."
            if self.off_topic_total
            else ""
        )

    def remarks(self) -> list[str]:
        """Return what else has to be said, in sentences."""
        said = [self.off_topic_remark] if self.off_topic_total else []
        if self.other_codes:
            words = "reply names" if self.other_codes == 1 else "replies name"
            said.append(f"{self.other_codes:,} {words} a number or code that nobody gave it.")
        if self.trouble:
            said.append(f"{self.unasked:,} questions could not be asked. {self.trouble}")
        elif self.unasked:
            said.append(f"There was no time for {self.unasked:,} more questions.")
        if self.standing == "poor":
            said.append("Most of its answers are not right: nobody should rely on it.")
        elif self.standing == "fair":
            said.append("Many of its answers are not right: check what it says.")
        return said


@dataclass(frozen=True, slots=True)
class AnswerTest:
    """Questions for whatever answers, and for how long it may take.

    `abstention` is the sentence with which it learned to say that it does not know.
    """

    items: Sequence[Item] = ()
    closeness: Closeness | None = None
    abstention: str = ""
    seconds: float = math.inf

    @property
    def longest(self) -> str:
        """Return the longest real answer."""
        return max((item.reference for item in self.items), key=len, default="")

    def run(
        self, answer: Answer, *, should_stop: Callable[[], object] = lambda: None
    ) -> tuple[AnswerFigures, list[Answered]]:
        """Ask until all is asked, the time is over or it shall stop; kinds take turns.

        Many are asked at once, after the first ones no more than there seems to be time for.
        """
        began, spent, trouble = time.monotonic(), 0.0, ""
        items, count = _in_turn(self.items), AT_FIRST
        found: list[Answered] = []
        while len(found) < len(items) and spent < self.seconds and not should_stop():
            part = items[len(found) : len(found) + count]
            try:
                written = answer([item.turns for item in part])
            except NotAskedError as error:
                trouble = str(error)
                break
            found += [self.judged(item, one) for item, one in zip(part, written, strict=True)]
            spent = time.monotonic() - began
            left = min(self.seconds - spent, SECONDS_AT_ONCE)
            in_time = int(left * len(found) / max(spent, 1e-6))
            count = max(1, min(in_time, GROWTH * count))
        unasked = len(items) - len(found)
        figures = AnswerFigures.of(found, unasked=unasked, seconds=spent, trouble=trouble)
        return figures, found

    def judged(self, item: Item, reply: str) -> Answered:
        """Return what a reply to a question is worth."""
        asked = [turn.text for turn in item.turns]
        told = judge(
            reply,
            item.reference,
            must=item.must,
            must_not=item.must_not,
            question=asked,
            closeness=self.closeness,
        )
        own = self.abstention.casefold().strip(" .")
        says_own = bool(own) and own in reply.casefold()
        if says_own and told.outcome != "right":
            told = Judgement("abstains", told.missing, told.foreign)
        elif item.kind == "off_topic" and told.outcome == "right":
            told = Judgement("wrong", told.missing, told.foreign)  # there is no right answer
        return Answered(item, reply, told)


def asked_hash(asked: Iterable[tuple[str, str]]) -> str:
    """Return a hash of the kinds and words of questions, whatever their order."""
    return sha256(json.dumps(sorted(asked)).encode()).hexdigest()


def _in_turn(items: Sequence[Item]) -> list[Item]:
    """Return the items so that each kind is spread evenly over them."""
    counts = Counter(item.kind for item in items)
    seen = Counter[str]()
    places = []
    for item in items:
        places.append((seen[item.kind] + 0.5) / counts[item.kind])
        seen[item.kind] += 1
    return [item for _, item in sorted(zip(places, items, strict=True), key=lambda one: one[0])]


def items_of(split: Iterable[Conversation], *, most: int = MOST) -> list[Item]:
    """Return at most `most` questions of a split, spread over its first 2,000 conversations.

    One exchange of each conversation, chosen by its words; passages ask nothing, and the same
    words are asked once.
    """
    found = {
        tuple(turn.text for turn in item.turns): item
        for conversation in islice(split, _POOL)
        if (item := _item(conversation)) is not None
    }
    return spread(list(found.values()), most)


def _item(conversation: Conversation) -> Item | None:
    if conversation.is_passage:
        return None
    places = list(_answers(conversation.turns))
    if not places:
        return None
    place = places[crc32(conversation.turns[0].text.encode()) % len(places)]
    return Item(conversation.turns[:place], conversation.turns[place].text)


def _answers(turns: Sequence[Turn]) -> Iterator[int]:
    """Yield the places of the answers that somebody asked for."""
    for place in range(1, len(turns)):
        one, before = turns[place], turns[place - 1]
        is_reply = (
            one.role == ASSISTANT and one.is_learnt and before.role not in {ASSISTANT, SYSTEM}
        )
        if is_reply and one.text.strip() and before.text.strip():
            yield place
