"""The bundled sample: support conversations of an invented outdoor shop, the same for one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datasets_app.corpus.conversation import Conversation


@dataclass(frozen=True, slots=True)
class SampleConversation:
    """One sample; `planted` names what is wrong with it on purpose (`duplicate`, or a rule)."""

    conversation: Conversation
    intent: str
    planted: str | None


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question worded as the training side never is, and words that a fitting answer holds."""

    question: str
    intent: str
    keywords: tuple[str, ...]


def generate(seed: int = 7, count: int = 3000) -> Iterator[SampleConversation]:
    """Yield the sample's conversations, the same ones for the same seed and count."""
    raise NotImplementedError


def held_out_questions() -> list[HeldOutQuestion]:
    """Return the questions that the sample never asks in these words."""
    raise NotImplementedError


def good_sample() -> list[Conversation]:
    """Return eight conversations that score 100 %."""
    raise NotImplementedError


def bad_sample() -> list[Conversation]:
    """Return eight conversations that score 0 %."""
    raise NotImplementedError


def write_jsonl(path: Path, *, seed: int = 7, count: int = 3000) -> int:
    """Write the sample as messages, one conversation a line, and return the number of lines."""
    raise NotImplementedError


def as_zip_bytes(*, seed: int = 7, count: int = 3000) -> bytes:
    """Return a ZIP archive with the sample's JSONL, ready to upload."""
    raise NotImplementedError
