"""Where a version's knowledge lies, and what its page shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.knowledge.find import WEIGHT, usual_weight
from datasets_app.knowledge.known import KnowledgeKey
from datasets_app.models import EncoderState, Knowledge, Lookup, Version

SHOWN_LOOKUPS = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """How many of its own questions in one script found their answer among the first three."""

    script: str
    asked: int
    words: int
    vectors: int | None = None
    both: int | None = None
    is_served: bool = True  # whether the encoder finds about as much as words alone
    weight: float = WEIGHT  # that words have beside the encoder

    @property
    def counts_words_more(self) -> bool:
        return self.weight > WEIGHT


@dataclass(frozen=True, slots=True)
class KnowledgePage:
    """A version's knowledge, how well it finds, and the last questions that were tried on it."""

    knowledge: Knowledge | None
    measured: tuple[Measured, ...]
    lookups: tuple[Lookup, ...]

    @property
    def is_moving(self) -> bool:
        """Return whether something is under way, so that the page looks again."""
        works = (*self.lookups, *([self.knowledge] if self.knowledge else []))
        return any(work.is_under_way for work in works)


def key_of(knowledge: Knowledge) -> KnowledgeKey:
    """Return where knowledge and the encoder of its questions lie."""
    encoder = knowledge.encoder
    is_there = encoder is not None and encoder.state == EncoderState.READY
    return KnowledgeKey(
        knowledge.folder or Path(),
        knowledge.manifest_sha256,
        encoder.folder if encoder is not None and is_there else None,
    )


def knowledge_page(version: Version) -> KnowledgePage:
    """Return the page of a version's knowledge; it may not have been built yet."""
    found = Knowledge.objects.filter(version=version).select_related("encoder").first()
    if found is None:
        return KnowledgePage(None, (), ())
    figures: dict[str, dict[str, Any]] = found.facts.get("figures", {})
    weights: dict[str, float] = found.facts.get("weights", {})
    return KnowledgePage(
        knowledge=found,
        measured=tuple(
            Measured(script, **told, weight=weights.get(script, usual_weight(script)))
            for script, told in figures.items()
        ),
        lookups=tuple(found.lookups.order_by("-created_at")[:SHOWN_LOOKUPS]),
    )
