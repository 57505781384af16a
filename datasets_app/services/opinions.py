"""Asking for a second opinion, giving it, and settling where the two differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Action, Dataset, Decision, Opinion, OpinionRow
from datasets_app.selectors.opinions import open_rows
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.changes import begin_change
from datasets_app.services.curation import PAST_TENSE, set_decision
from otto_web.lib import audit

CLAIMED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Sample:
    """How many rows are drawn, from which, by which seed, and who is asked; None: anybody."""

    size: int
    seed: int
    rows: RowFilter
    judge: User | None


@transaction.atomic(durable=True)
def ask_opinion(dataset: Dataset, wanted: Sample, *, by: User) -> Opinion:
    """Draw decided rows at random; a judge gets none that they decided about themselves."""
    # the decisions stand still while they are noted, and what was counted of them stays true
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    decided = wanted.rows.rows(dataset).filter(decision__isnull=False, decided_by__isnull=False)
    if wanted.judge is not None:
        decided = decided.exclude(decided_by=wanted.judge)
    drawn_from = decided.order_by().count()
    if not drawn_from:
        raise CorpusError(
            "There are no rows to judge: only those that somebody else accepted or excluded are "
            "drawn. Decide about some first, or choose another filter or person."
        )
    dice = MD5(Concat(Value(f"{wanted.seed} "), Cast("pk", TextField())))  # it can be drawn again
    columns = ("pk", "revision", "decision", "decided_by")
    drawn = list(decided.order_by(dice, "pk").values_list(*columns)[: wanted.size])
    opinion = Opinion.objects.create(
        dataset=dataset,
        asked_by=by,
        judge=wanted.judge,
        seed=wanted.seed,
        query=wanted.rows.query(),
        drawn_from=drawn_from,
    )
    OpinionRow.objects.bulk_create(
        OpinionRow(
            opinion=opinion,
            place=place,
            conversation_id=pk,
            revision=revision,
            first=decision or "",
            first_by_id=first_by,
        )
        for place, (pk, revision, decision, first_by) in enumerate(drawn, start=1)
    )
    audit.record(by, "opinion.asked", dataset, after={"rows": len(drawn), "seed": wanted.seed})
    return opinion


@transaction.atomic
def next_row(opinion: Opinion, *, by: User) -> OpinionRow | None:
    """Return a row that nobody else has before them, and keep it for this person for a while."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_by=by)
    mine = open_rows(opinion, by).filter(free).order_by("place")
    row = mine.select_for_update(skip_locked=True, of=("self",)).first()
    if row is not None:
        row.claimed_by, row.claimed_until = by, now + CLAIMED
        row.save(update_fields=["claimed_by", "claimed_until"])
    return row


@transaction.atomic
def judge_row(opinion: Opinion, place: int, decision: Decision, *, by: User) -> OpinionRow:
    """Note what a person thinks of a row; the row itself stays as it is."""
    row = opinion.rows.select_for_update().filter(place=place).first()
    if row is None:
        raise CorpusError("This row is gone: its file was read anew or taken back. Go on.")
    if row.second_by_id == by.pk and row.second == decision:
        return row  # a letter whose answer was lost comes again
    if row.second is not None:
        raise CorpusError("This row was judged meanwhile. Yours was not counted; go on.")
    if not open_rows(opinion, by).filter(pk=row.pk).exists():
        raise CorpusError("This row was changed meanwhile, so it is left out. Go on.")
    row.second, row.second_by, row.second_at = decision.value, by, timezone.now()
    row.save(update_fields=["second", "second_by", "second_at"])
    _close_if_done(opinion)
    return row


@transaction.atomic
def take_back(opinion: Opinion, *, by: User) -> OpinionRow | None:
    """Let a person judge again what they judged last, while the opinion is not over."""
    mine = opinion.rows.filter(second_by=by, opinion__closed_at=None)
    row = mine.select_for_update(of=("self",)).order_by("-second_at", "-place").first()
    if row is not None:
        row.second = row.second_by = row.second_at = None
        row.claimed_by, row.claimed_until = by, timezone.now() + CLAIMED
        row.save()
    return row


@transaction.atomic
def close_opinion(opinion: Opinion, *, by: User) -> bool:
    """End it with what was judged until now; False where it was over."""
    open_one = Opinion.objects.filter(pk=opinion.pk, closed_at=None)
    if not open_one.update(closed_at=timezone.now()):
        return False
    audit.record(by, "opinion.closed", opinion.dataset)
    return True


def _close_if_done(opinion: Opinion) -> None:
    waiting = opinion.rows.filter(second=None, conversation__revision=F("revision"))
    if not waiting.exists():
        Opinion.objects.filter(pk=opinion.pk, closed_at=None).update(closed_at=timezone.now())


@transaction.atomic(durable=True)
def settle_row(opinion: Opinion, place: int, decision: Decision, *, by: User) -> Action:
    """Decide about a row where two people differ: an action like any other, to be undone."""
    dataset = begin_change(opinion.dataset_id, is_told=True)
    row = opinion.rows.select_related("conversation", "action__actor").filter(place=place).first()
    if row is None or row.second is None or row.opinion.closed_at is None:
        raise CorpusError("There is nothing to settle about this row.")
    if row.action is not None and not Action.objects.filter(undoes=row.action).exists():
        who = row.action.actor
        name = who.get_full_name() or who.get_username() if who else "Somebody"
        raise CorpusError(f"{name} settled this before you: {row.action.title}.")
    now = row.conversation
    if (now.revision, now.decision) != (row.revision, row.first):
        raise CorpusError(
            "The conversation was changed or decided anew since it was judged. Nothing was changed "
            "here; open it and decide."
        )
    action = Action.objects.create(
        dataset=dataset, actor=by, kind=decision.value, filter={"opinion": opinion.pk}
    )
    rows = dataset.conversations.filter(pk=now.pk)
    action.previewed, action.done = set_decision(action, rows, decision, by=by)
    action.title = f"1 conversation {PAST_TENSE[decision]} after a second opinion"
    action.save(update_fields=["previewed", "done", "title"])
    row.action = action
    row.save(update_fields=["action"])
    audit.record(by, "opinion.settled", now, after={"decision": decision.value})
    return action
