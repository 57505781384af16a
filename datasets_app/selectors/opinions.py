"""What a judge sees of a second opinion, and what comes of it once it is over."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict

from datasets_app.corpus.agreement import FEWEST_TOLD, Agreement
from datasets_app.models import Conversation, Dataset, Decision, Opinion, OpinionRow
from datasets_app.models.beginnings import FIRST_ANSWER, FIRST_QUESTION
from datasets_app.selectors.conversations import ShownTurn
from datasets_app.selectors.marking import marked
from datasets_app.selectors.row_filter import RowFilter
from otto_web.lib.access import Role, has_role

WORDS = {Decision.KEEP.value: "accept", Decision.EXCLUDE.value: "exclude"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a second opinion is; `left_out` were changed before they were judged."""

    total: int
    judged: int
    left_out: int

    @property
    def waiting(self) -> int:
        return self.total - self.judged - self.left_out


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that two people judged otherwise; `is_changed`: it is no longer what they judged."""

    row: OpinionRow
    question: str
    answer: str
    is_settled: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a second opinion."""

    agreement: Agreement
    table: list[tuple[str, list[int]]]  # of each first word, how often each second one
    differences: list[Difference]
    is_rough: bool


def open_rows(opinion: Opinion, judge: User) -> QuerySet[OpinionRow]:
    """Return what a person may still judge: unchanged, undecided, and not decided by themselves."""
    rows = OpinionRow.objects.filter(opinion=opinion, opinion__closed_at=None, second=None)
    rows = rows.filter(conversation__revision=F("revision"))
    return rows.filter(Q(first_by=None) | ~Q(first_by=judge))


def may_judge(opinion: Opinion, user: User) -> bool:
    """Tell whether this person is asked: by name, or as one of all who curate."""
    if not has_role(user, Role.CURATOR) or opinion.closed_at is not None:
        return False
    return opinion.judge_id in {None, user.pk}


def opinions_of(dataset: Dataset) -> list[tuple[Opinion, Progress]]:
    """Return the second opinions of a dataset, the newest first; two queries."""
    found = dataset.opinions.select_related("asked_by", "judge").order_by("-pk")[:100]
    return [(one, _progress(one)) for one in _counted(found)]


def waiting_for(user: User) -> QuerySet[Opinion]:
    """Return what this person is asked for by name, and has not finished."""
    mine = Opinion.objects.visible_to(user).filter(judge=user, closed_at=None)
    return mine.filter(dataset__deleted_at=None)


def _counted(opinions: QuerySet[Opinion]) -> QuerySet[Opinion]:
    is_changed = ~Q(rows__conversation__revision=F("rows__revision"))
    return opinions.annotate(
        n_rows=Count("rows"),
        n_judged=Count("rows", filter=Q(rows__second__isnull=False)),
        n_left=Count("rows", filter=Q(rows__second=None) & is_changed),
    )


def progress_of(opinion: Opinion) -> Progress:
    return _progress(_counted(Opinion.objects.filter(pk=opinion.pk)).get())


def _progress(counted: Opinion) -> Progress:
    return Progress(counted.n_rows, counted.n_judged, counted.n_left)  # type: ignore[attr-defined]


def filter_of(opinion: Opinion) -> RowFilter:
    return RowFilter.from_query(QueryDict(opinion.query))


def blind_turns(row: OpinionRow) -> list[ShownTurn]:
    """Return what was said, without what rules or people think of it."""
    return [
        ShownTurn(number, turn["role"], marked(turn["text"], [], []), [])
        for number, turn in enumerate(row.conversation.turns)
    ]


def result_of(opinion: Opinion) -> Result:
    """Return agreement, the table of both opinions, and the rows where they differ; two queries."""
    judged = opinion.rows.filter(second__isnull=False)
    agreement = Agreement.of(
        (row.first, row.second or "") for row in judged.only("first", "second")
    )
    table = [
        (WORDS[first], [agreement.pairs[first, second] for second in Decision.values])
        for first in Decision.values
    ]
    return Result(
        agreement=agreement,
        table=table,
        differences=_differences(judged),
        is_rough=agreement.total < FEWEST_TOLD,
    )


def _differences(judged: QuerySet[OpinionRow]) -> list[Difference]:
    rows = list(
        judged.exclude(second=F("first"))
        .select_related(
            "conversation", "first_by", "second_by", "action__actor", "action__undone_by"
        )
        .order_by("place")
    )
    ids = [row.conversation_id for row in rows]
    said = Conversation.objects.filter(pk__in=ids).values_list("pk", FIRST_QUESTION, FIRST_ANSWER)
    words = {pk: (question or "", answer or "") for pk, question, answer in said}
    return [
        Difference(
            row,
            *words.get(row.conversation_id, ("", "")),
            is_settled=_is_settled(row),
            is_changed=(row.conversation.revision, row.conversation.decision)
            != (row.revision, row.first),
        )
        for row in rows
    ]


def _is_settled(row: OpinionRow) -> bool:
    return row.action is not None and not hasattr(row.action, "undone_by")
