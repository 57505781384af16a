"""Logged exchanges become conversations of a dataset, personal data masked on the way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from chat_app.models import ABSTAINED, LogEntry, LogQuerySet, Message
from chat_app.models.log import GOOD
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.masking import mask
from datasets_app.corpus.rules import policy
from datasets_app.knowledge.pieces import leans
from datasets_app.models import Action, Dataset, Decision, Origin, Status
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import set_decision
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
    replaced: int = 0

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
        if self.replaced:
            row = "row was" if self.replaced == 1 else "rows were"
            words += f" {self.replaced:,} {row} set aside: corrected since."
        if self.masked:
            found = f"{self.masked:,} personal value{'' if self.masked == 1 else 's'}"
            words += f" {found} (e-mail, phone, card) replaced by placeholders."
        return words


def origin_key(message: UUID, better: str = "") -> str:
    """Return the key by which a dataset knows an answer, however often it is added.

    One that was corrected has a key of its own: it may be there already with the words before.
    """
    told = f"corrected:{message}:{better}" if better else f"chat:{message}"
    return hashlib.sha256(told.encode()).hexdigest()


def _key_of(entry: Any) -> str:
    return origin_key(entry.message_id, entry.better or "")


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

    Of a corrected answer the corrected words are added, whatever the others were. Of the rest only
    answers that somebody rated good and that were written to their end are added: a model would
    learn the others as if they were right, and to stop in the middle. That nothing is known is no
    answer, however good it is to say so: it would be found for the question from then on. An
    exchange that the dataset has already is left as it is there, unless it was corrected since.
    """
    rated: LogQuerySet = entries.with_rating().with_correction()  # type: ignore[attr-defined]
    every, good = entries.count(), rated.filter(rated=GOOD, better=None)
    told = good.telling()
    whole = list(_with_what_was_before(told.whole()))
    unknowing = good.count() - told.count()
    cut = told.count() - len(whole)
    found = [*_with_what_was_before(rated.exclude(better=None)), *whole]
    found.sort(key=lambda entry: (entry.at, entry.message_id))
    if every and not found:
        raise UnratedError(CUT_NOWHERE if cut else KNOWN_NOWHERE if unknowing else RATED_NOWHERE)
    added, replaced, masked = 0, 0, Counter[str]()
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        rows = [_masked_row(entry, masked) for entry in batch]
        added += write_rows(dataset, rows, policy.from_json(dataset.policy))
        replaced += _set_aside_wrong(batch, dataset, by)
        _note_conversations(batch, dataset, by)
    audit.record(by, "add from log", dataset, after={"added": added})
    return Harvest(
        added,
        len(found) - added,
        masked.total(),
        unfit=every - len(found) - unknowing - cut,
        unknowing=unknowing,
        cut=cut,
        replaced=replaced,
    )


def _set_aside_wrong(batch: Sequence[Any], dataset: Dataset, by: User | None) -> int:
    """Exclude the rows that hold what was corrected since they were added; count them."""
    corrected = [entry for entry in batch if entry.better]
    if not corrected:
        return 0
    plain = [origin_key(entry.message_id) for entry in corrected]
    earlier = [entry.conversation_id for entry in corrected if entry.conversation_id]
    wrong = dataset.conversations.filter(Q(origin_key__in=plain) | Q(pk__in=earlier))
    wrong = wrong.exclude(origin_key__in=[_key_of(entry) for entry in corrected])
    wrong = wrong.exclude(status=Status.EXCLUDED)
    ids = list(wrong.values_list("pk", flat=True))
    if not ids:
        return 0
    begin_change(dataset.pk, is_told=True)
    action = Action.objects.create(
        dataset=dataset,
        actor=by,
        kind=Decision.EXCLUDE.value,
        filter={"ids": ids},
        title=f"{len(ids):,} corrected in the chat since",
    )
    rows = dataset.conversations.filter(pk__in=ids)
    action.previewed, action.done = set_decision(action, rows, Decision.EXCLUDE, by=by)
    action.save(update_fields=["previewed", "done"])
    return action.done


def _with_what_was_before(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    before = "message__parent__parent"
    found = entries.select_related(f"{before}__generation", f"{before}__log_entry")
    return found.prefetch_related(f"{before}__corrections")


def _masked_row(entry: Any, masked: Counter[str]) -> NewRow:
    without = mask(_conversation(entry))
    masked.update(without.counts)
    meta = {"deployment": entry.deployment_id, "model": str(entry.model_id)}
    if entry.better:
        meta["corrected"] = "1"
    key = _key_of(entry)
    return NewRow(without.conversation, origin_key=key, origin=Origin.CHAT, meta=meta)


def _conversation(entry: Any) -> Conversation:
    """Return question and answer; of a question that leans, with the answer that it leans on."""
    question = entry.message.parent
    told = entry.better or entry.message.text
    if question is None:
        return Conversation((Turn(ASSISTANT, told),))
    before = _logged_text(question.parent)
    opening = [Turn(ASSISTANT, before)] if leans(question.text, before) else []
    return Conversation((*opening, Turn(USER, question.text), Turn(ASSISTANT, told)))


def _logged_text(answer: Message | None) -> str:
    """Return what an answer told, where curators may read it; "" where it told nothing."""
    if answer is None or not hasattr(answer, "log_entry"):
        return ""
    if better := sorted(answer.corrections.all(), key=lambda one: one.updated_at):
        return better[-1].text
    return "" if answer.generation.finish == ABSTAINED else answer.text


def _note_conversations(batch: Sequence[LogEntry], dataset: Dataset, by: User | None) -> None:
    """Let each entry name the conversation that it became, and who decided so."""
    keys = {_key_of(entry): entry for entry in batch}
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
