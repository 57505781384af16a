"""Logged exchanges become conversations of a dataset, personal data masked on the way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from chat_app.models import ABSTAINED, LogEntry, LogQuerySet, Message
from chat_app.models.log import GOOD
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.masking import mask
from datasets_app.corpus.rules import policy
from datasets_app.knowledge.pieces import leans
from datasets_app.models import Dataset, Origin
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib import audit

BATCH = 500
RATED_NOWHERE = (
    "None of these answers is rated good, so nothing was added. Rate them first: a model "
    "learns whatever it is given as if it were right."
)
CUT_NOWHERE = (
    "Nothing was added: those of these answers that are rated good were stopped or cut at the "
    "longest length. A model would learn to stop in the middle."
)
KNOWN_NOWHERE = (
    "Nothing was added: those of these answers that are rated good say that nothing is known. "
    "Write the right answer into a dataset instead."
)


class PreviewChangedError(ServingError):
    """Other entries match now than those that the person saw."""


class UnratedError(ServingError):
    """None of these is an answer that somebody said is good."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What came of adding entries to a dataset."""

    added: int
    known: int
    masked: int
    unfit: int = 0
    unknowing: int = 0
    cut: int = 0

    def sentence(self) -> str:
        """Say what was done, and what was there before."""
        words = f"{self.added:,} exchange{'' if self.added == 1 else 's'} added."
        if self.known:
            words += f" {self.known:,} {'was' if self.known == 1 else 'were'} there already."
        if self.unfit:
            were = "was" if self.unfit == 1 else "were"
            words += f" {self.unfit:,} {were} left out: not rated good."
        if self.unknowing:
            were = "was" if self.unknowing == 1 else "were"
            words += f" {self.unknowing:,} {were} left out: they say that nothing is known."
        if self.cut:
            were = "was" if self.cut == 1 else "were"
            words += f" {self.cut:,} {were} left out: stopped, or cut at the longest length."
        if self.masked:
            found = f"{self.masked:,} personal value{'' if self.masked == 1 else 's'}"
            words += f" {found} (e-mail, phone, card) replaced by placeholders."
        return words


def origin_key(message: UUID) -> str:
    """Return the key by which a dataset knows an answer, however often it is added."""
    return hashlib.sha256(f"chat:{message}".encode()).hexdigest()


def add_matching(
    entries: QuerySet[LogEntry], dataset: Dataset, *, previewed: int, by: User | None
) -> Harvest:
    """Add all entries that match, but only if these are as many as the person saw."""
    matching = entries.count()
    if matching != previewed:
        raise PreviewChangedError(
            f"{matching:,} exchanges match now, {previewed:,} did when you looked. "
            "Nothing was added; look again and decide anew."
        )
    return add_to_dataset(entries, dataset, by=by)


@transaction.atomic
def add_to_dataset(entries: QuerySet[LogEntry], dataset: Dataset, *, by: User | None) -> Harvest:
    """Add the exchanges to the dataset, where the rules judge them like all others.

    Only answers that somebody rated good and that were written to their end are added: a model
    would learn the others as if they were right, and to stop in the middle. That nothing is known
    is no answer, however good it is to say so: it would be found for the question from then on. An
    exchange that the dataset has already is left as it is there.
    """
    rated: LogQuerySet = entries.with_rating()  # type: ignore[attr-defined]
    every, good = entries.count(), rated.filter(rated=GOOD)
    told = good.telling()
    found = list(_with_what_was_before(told.whole()))
    unknowing = good.count() - told.count()
    cut = told.count() - len(found)
    if every and not found:
        raise UnratedError(CUT_NOWHERE if cut else KNOWN_NOWHERE if unknowing else RATED_NOWHERE)
    added, masked = 0, Counter[str]()
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        rows = [_masked_row(entry, masked) for entry in batch]
        added += write_rows(dataset, rows, policy.from_json(dataset.policy))
        _note_conversations(batch, dataset, by)
    audit.record(by, "add from log", dataset, after={"added": added})
    return Harvest(
        added,
        len(found) - added,
        masked.total(),
        unfit=every - len(found) - unknowing - cut,
        unknowing=unknowing,
        cut=cut,
    )


def _with_what_was_before(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    before = "message__parent__parent"
    return entries.select_related(f"{before}__generation", f"{before}__log_entry")


def _masked_row(entry: LogEntry, masked: Counter[str]) -> NewRow:
    without = mask(_conversation(entry))
    masked.update(without.counts)
    meta = {"deployment": entry.deployment_id, "model": str(entry.model_id)}
    key = origin_key(entry.message_id)
    return NewRow(without.conversation, origin_key=key, origin=Origin.CHAT, meta=meta)


def _conversation(entry: LogEntry) -> Conversation:
    """Return question and answer; of a question that leans, with the answer that it leans on."""
    answer, question = entry.message, entry.message.parent
    if question is None:
        return Conversation((Turn(ASSISTANT, answer.text),))
    before = _logged_text(question.parent)
    opening = [Turn(ASSISTANT, before)] if leans(question.text, before) else []
    return Conversation((*opening, Turn(USER, question.text), Turn(ASSISTANT, answer.text)))


def _logged_text(answer: Message | None) -> str:
    """Return what an answer told, where curators may read it; "" where it told nothing."""
    if answer is None or not hasattr(answer, "log_entry"):
        return ""
    return "" if answer.generation.finish == ABSTAINED else answer.text


def _note_conversations(batch: Sequence[LogEntry], dataset: Dataset, by: User | None) -> None:
    """Let each entry name the conversation that it became, and who decided so."""
    keys = {origin_key(entry.message_id): entry for entry in batch}
    rows = dataset.conversations.filter(origin_key__in=list(keys))
    for pk, key in rows.values_list("pk", "origin_key"):
        keys[key].conversation_id = pk
        keys[key].reviewed_by = by
    LogEntry.objects.bulk_update(batch, ["conversation", "reviewed_by"])


def selected(values: Iterable[str]) -> list[UUID]:
    """Return the messages that were selected; what is no id is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
