"""The bundled sample: support conversations of an invented outdoor shop, the same for one seed."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.split import exact_key
from datasets_app.sample.damage import DAMAGES
from datasets_app.sample.facts import SHOP, Shop
from datasets_app.sample.pairs import BAD_PAIRS, GOOD_PAIRS
from datasets_app.sample.talk import good_talk

NAME = "Example conversations"
MEMBER_NAME = "juniper-and-pine/conversations.jsonl"
SAMPLE_SHA256 = "90cdd5303386a62a787022be9c72ad1dc96b99a1305194a3b1c7b4b154e9ab5e"  # of that member
PLANTED_SHARE = 0.08
DUPLICATE = "duplicate"

_PLANTED_KINDS = (*DAMAGES, DUPLICATE)
_LONG_AGO = (2026, 1, 1, 0, 0, 0)  # a fixed date keeps the archive the same byte for byte


@dataclass(frozen=True, slots=True)
class SampleConversation:
    """One sample; `planted` names what is wrong with it on purpose (`duplicate`, or a rule)."""

    conversation: Conversation
    intent: str
    planted: str | None


def generate(seed: int = 7, count: int = 3000, shop: Shop = SHOP) -> Iterator[SampleConversation]:
    """Yield the sample's conversations, the same ones for the same seed, count and shop."""
    rng = random.Random(seed)  # noqa: S311
    planted = _planted_positions(rng, count)
    seen: set[str] = set()
    good: list[SampleConversation] = []
    for position in range(count):
        kind = planted.get(position)
        if kind == DUPLICATE and good:
            earlier = rng.choice(good)
            yield SampleConversation(earlier.conversation, earlier.intent, DUPLICATE)
            continue
        sample = _unseen(rng, shop, kind if kind in DAMAGES else None, seen)
        if sample.planted is None:
            good.append(sample)
        yield sample


def _planted_positions(rng: random.Random, count: int) -> dict[int, str]:
    positions = rng.sample(range(count), round(count * PLANTED_SHARE))
    kinds = (_PLANTED_KINDS[place % len(_PLANTED_KINDS)] for place in range(len(positions)))
    return dict(zip(positions, kinds, strict=True))


def _unseen(rng: random.Random, shop: Shop, kind: str | None, seen: set[str]) -> SampleConversation:
    """Return a conversation unlike all earlier ones: planted copies stay the only ones."""
    while True:
        talk, intent = good_talk(rng, shop)
        conversation = DAMAGES[kind](rng, talk) if kind else talk
        key = exact_key(conversation)
        if key not in seen:
            seen.add(key)
            return SampleConversation(conversation, intent.name, kind)


def good_sample() -> list[Conversation]:
    """Return eight conversations that score 100 %."""
    return [_pair(question, answer) for question, answer in GOOD_PAIRS]


def bad_sample() -> list[Conversation]:
    """Return eight conversations that score 0 %."""
    return [_pair(question, answer) for question, answer in BAD_PAIRS]


def jsonl_lines(*, seed: int = 7, count: int = 3000, shop: Shop = SHOP) -> Iterator[str]:
    """Yield the sample as lines of messages, without line ends."""
    for sample in generate(seed, count, shop):
        turns = sample.conversation.turns
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        yield json.dumps({"messages": messages}, ensure_ascii=False)


def write_jsonl(path: Path, *, seed: int = 7, count: int = 3000, shop: Shop = SHOP) -> int:
    """Write the sample as messages, one conversation a line, and return the number of lines."""
    lines = list(jsonl_lines(seed=seed, count=count, shop=shop))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def as_zip_bytes(*, seed: int = 7, count: int = 3000, shop: Shop = SHOP) -> bytes:
    """Return a ZIP archive with the sample's JSONL, ready to upload."""
    text = "".join(f"{line}\n" for line in jsonl_lines(seed=seed, count=count, shop=shop))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo(MEMBER_NAME, date_time=_LONG_AGO)
        archive.writestr(member, text, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _pair(question: str, answer: str) -> Conversation:
    return Conversation((Turn(USER, question), Turn(ASSISTANT, answer)))
