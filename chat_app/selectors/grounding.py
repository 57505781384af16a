"""What an answer may be written from: which knowledge, and what is said where it holds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.safestring import SafeString

from chat_app.models import WORDS, Generation, Kind
from chat_app.serving.requests import FinishReason
from datasets_app.corpus.conversation import ASSISTANT, Turn
from datasets_app.knowledge.find import Found
from datasets_app.knowledge.known import KnowledgeKey, Known
from datasets_app.models import Knowledge, Version
from datasets_app.selectors.knowledge import key_of
from otto_web.lib.markdown import render
from training_app.lm.config import ABSTENTION, SOURCES
from training_app.lm.unsupported import Span, unsupported
from training_app.models import TrainedModel

SOURCE, SUGGESTION = "source", "suggestion"
RELATED = 0.35  # cosine of a question that is offered; those about nothing known lie below
PART = "This is part of a longer text, the one that is nearest to the question."
NO_ROOM = "None of the known answers fitted into what the model can read."


@dataclass(frozen=True, slots=True)
class Grounding:
    """How one answer uses what is known."""

    key: KnowledgeKey
    is_quoting: bool
    most: int  # sources in its prompt
    abstention: str  # said where nothing is near


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer stands on, as its row keeps it."""

    sources: list[dict[str, Any]] = field(default_factory=list)
    unsupported: list[Span] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A known answer below a reply."""

    question: str
    answer: str
    cosine: float | None
    words: float
    row: int
    dataset_id: UUID | None  # of the row; None where the version's knowledge is gone
    source: str = ""  # the page that it stands on, and the headings above it

    @property
    def html(self) -> SafeString:
        """Return the answer as its Markdown says."""
        return render(self.answer)

    @property
    def closeness(self) -> str:
        """Say how near the question is to the one that was asked."""
        said = f"{self.words:.0%} of the words"
        return said if self.cosine is None else f"{max(self.cosine, 0):.0%} in meaning, {said}"


def grounding_of(row: Generation) -> Grounding | None:
    """Return how an answer uses the knowledge of its row; None where it has none."""
    if row.knowledge is None or row.answer.chat.kind == Kind.COMPLETION:
        return None
    learnt = how_it_learnt(row.model)
    return Grounding(
        key=key_of(row.knowledge),
        is_quoting=row.deployment.is_quoting,
        most=learnt.get("sources") or SOURCES,
        abstention=learnt.get("abstention") or ABSTENTION,
    )


def how_it_learnt(model: TrainedModel | None) -> dict[str, Any]:
    """Return the settings of a model's data; empty where it learnt without known answers."""
    if model is None or model.run is None:
        return {}
    data: dict[str, Any] = model.run.spec.get("data", {})
    return data if data.get("sources") else {}


def built_knowledge(user: User) -> list[Knowledge]:
    """Return what deployments may answer from, newest version first; one query."""
    readable = Version.objects.visible_to(user).filter(dataset__deleted_at=None)
    found = Knowledge.objects.filter(version__in=readable).exclude(path="")
    return list(found.select_related("version__dataset").order_by("-version__created_at"))


def knowledge_learnt(model: TrainedModel) -> Knowledge | None:
    """Return what a model learnt to answer from, where that is built."""
    if model.run is None or not how_it_learnt(model):
        return None
    return Knowledge.objects.filter(version=model.run.version_id).exclude(path="").first()


def knowledge_after(model: TrainedModel, present: Knowledge | None) -> Knowledge | None:
    """Return what a deployment answers from once this model takes over.

    A model that learnt without known answers does not know what to do with them; one that no run
    of ours left may. Of one dataset the newer version answers: an older model, back again, brings
    no old answers.
    """
    if model.run is not None and not how_it_learnt(model):
        return None
    learnt = knowledge_learnt(model)
    if learnt is None or present is None:
        return learnt or present
    old, new = present.version, learnt.version
    is_older = old.dataset_id == new.dataset_id and new.number < old.number
    return present if is_older else learnt


def ground_of(
    known: Known | None, finish: FinishReason, *, read: int, text: str, turns: Sequence[Turn]
) -> Ground:
    """Return what an answer of this text stands on; `read` of the sources stood in its prompt."""
    if known is None:
        return Ground()
    if finish == "abstained":
        return Ground(as_json(SUGGESTION, suggestions(known.with_questions)), note=known.note)
    if finish == "quoted":
        part = PART if known.quote is not None and known.quote.is_part else ""
        note = " ".join(filter(None, [part, known.note]))
        count = known.quote.count if known.quote is not None else 1
        return Ground(as_json(SOURCE, known.found[:count]), note=note)
    sources = as_json(SOURCE, known.found[:read])
    if not sources:
        return Ground(note=known.note or NO_ROOM)
    told = [one[part] for one in sources for part in ("question", "answer")]
    asked = [turn.text for turn in turns if turn.role != ASSISTANT]  # what it made up is not known
    return Ground(sources, unsupported(text, [*told, *asked]), known.note)


def suggestions(found: Sequence[Found]) -> list[Found]:
    """Return questions that may be asked instead: each once, and none about something else."""
    once: dict[str, Found] = {}
    for one in found:
        if one.cosine is None or one.cosine >= RELATED:
            once.setdefault(" ".join(re.findall(r"\w+", one.piece.question.casefold())), one)
    return list(once.values())


def shown_sources(row: Generation, kind: str) -> list[ShownSource]:
    """Return what a row keeps of one kind, nearest first; not what lost its words."""
    if not row.sources:
        return []
    dataset = row.knowledge.version.dataset_id if row.knowledge else None
    return [
        ShownSource(
            one["question"],
            one["answer"],
            one["cosine"],
            one["words"],
            one["row"],
            dataset,
            one.get("source", ""),
        )
        for one in row.sources
        if one["kind"] == kind and WORDS[0] in one
    ]


def forgotten_sources(row: Generation) -> int:
    """Return how many known answers it was written from whose version was deleted."""
    return sum(one["kind"] == SOURCE and WORDS[0] not in one for one in row.sources)


def as_json(kind: str, found: Iterable[Found]) -> list[dict[str, Any]]:
    """Return what was found as a row keeps it."""
    return [
        {
            "kind": kind,
            "row": one.piece.row,
            "number": one.piece.number,
            "question": one.piece.question,
            "answer": one.piece.answer,
            "cosine": None if one.cosine is None else round(one.cosine, 4),
            "words": round(one.words, 4),
            **({"source": one.piece.source} if one.piece.source else {}),
        }
        for one in found
    ]
