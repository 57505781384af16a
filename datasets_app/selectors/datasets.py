"""What the dataset pages show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Func, Max, TextField
from django.db.models.functions import Coalesce

from datasets_app.corpus import quality
from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER
from datasets_app.corpus.rules.registry import label_of
from datasets_app.models import Action, Conversation, Dataset, Finding, Rescoring, Status, Version
from datasets_app.selectors.counted import counted
from datasets_app.selectors.quality import (
    Group,
    copies_in,
    groups_of,
    rows_by_reason,
    rows_by_status,
    tally,
)
from datasets_app.selectors.row_filter import RowFilter
from otto_web.lib.work.states import State

PREVIEW_CHARACTERS = 240


def _beginning(*roles: str, place: str = "*") -> Func:
    """Return the beginning of the first turn of these roles, cut by the database."""
    which = " || ".join(f'@.role == "{role}"' for role in roles)
    first = f"jsonb_path_query_first(%(expressions)s, '$[{place}] ? ({which})') ->> 'text'"
    cut = f"left({first}, {PREVIEW_CHARACTERS})"
    return Func(F("turns"), template=cut, output_field=TextField())


COLUMNS = ("position", "n_turns", "n_words", "quality", "status", "decision", "reasons")
FIRST_QUESTION = _beginning(USER)
# Who picks up the phone greets first: the answer is the one after the question, if there is one.
FIRST_ANSWER = Coalesce(
    _beginning(ASSISTANT, place="1 to last"),
    _beginning(ASSISTANT, PASSAGE),
    output_field=TextField(),
)


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A dataset in the list, with its rows by status."""

    dataset: Dataset
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    pk: int
    position: int
    question: str
    answer: str
    turns: int
    quality: int
    status: str
    is_decided: bool
    why: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of one page with what surrounds them."""

    rows: list[Row]
    following: str
    statuses: list[tuple[str, str, int, str]]
    reasons: list[tuple[str, str, int, str]]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class Score:
    """A quality score in figures and words."""

    share: float
    percent: int
    band: str
    words: str
    valid: int
    invalid: int
    copies: int
    advice: list[quality.Advice]


def dataset_list(user: User) -> list[DatasetLine]:
    """Return the datasets with their counts, newest first."""
    found = Dataset.objects.visible_to(user).filter(deleted_at=None).order_by("-created_at")
    return [DatasetLine(dataset, status_counts(dataset)) for dataset in found]


def groups_in(dataset: Dataset, rows: RowFilter) -> list[Group]:
    """Return what the filter's scope is made up of now; two queries after a change, else one."""
    dataset.refresh_from_db(fields=["changes"])  # it may have been read before the change
    return _groups(dataset, rows)


def _groups(dataset: Dataset, rows: RowFilter) -> list[Group]:
    scope = rows.scope
    return counted(dataset, f"groups {scope.query()}", lambda: groups_of(scope.rows(dataset)))


def table_page(dataset: Dataset, rows: RowFilter) -> TablePage:
    """Return one page of the table in three queries, whatever its size."""
    page = rows.page(dataset).only(*COLUMNS)
    found = list(page.annotate(question=FIRST_QUESTION, answer=FIRST_ANSWER))
    shown = found[: rows.size]
    groups = groups_in(dataset, rows)
    by_status = rows_by_status(g for g in groups if rows.reason in {"", *g.reasons})
    by_reason = rows_by_reason(g for g in groups if rows.status in {"", g.status})
    following = ""
    if len(found) > rows.size:
        following = rows.query(after=rows.key_of(shown[-1]))
    return TablePage(
        rows=[_row(row) for row in shown],
        following=following,
        statuses=list(_status_tabs(rows, by_status)),
        reasons=list(_reason_chips(rows, by_reason)),
        matching=by_status[rows.status] if rows.status else by_status.total(),
        total=by_status.total(),
    )


def _status_tabs(rows: RowFilter, counts: Counter[str]) -> Iterator[tuple[str, str, int, str]]:
    yield "", "All", counts.total(), rows.query(status="")
    for status in Status:
        yield status.value, status.label, counts[status], rows.query(status=status.value)


def _reason_chips(rows: RowFilter, counts: dict[str, int]) -> Iterator[tuple[str, str, int, str]]:
    for rule, count in counts.items():
        chosen = "" if rule == rows.reason else rule
        yield rule, label_of(rule), count, rows.query(reason=chosen)


def _row(row: Any) -> Row:
    return Row(
        pk=row.pk,
        position=row.position,
        question=row.question or "",
        answer=row.answer or "",
        turns=row.n_turns,
        quality=row.quality,
        status=row.status,
        is_decided=row.decision is not None,
        why=[(rule, label_of(rule)) for rule in row.reasons],
    )


def score_of(dataset: Dataset) -> Score:
    """Return the dataset's quality score; rows that are excluded are nobody's copies."""
    counts = tally(groups_in(dataset, RowFilter()))
    left = dataset.conversations.exclude(status=Status.EXCLUDED)
    copies = counted(dataset, "copies among those left", lambda: copies_in(left))
    return _score(replace(counts, copies=copies))


def _score(counts: quality.QualityCounts) -> Score:
    band = quality.verdict(counts)
    return Score(
        share=counts.quality_score,
        percent=int(counts.quality_score * 100),
        band=band.name,
        words=band.words if counts.total else quality.EMPTY_MESSAGE,
        valid=counts.valid,
        invalid=counts.total - counts.valid,
        copies=counts.copies,
        advice=quality.advice(counts),
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn's text, marked where a rule objects."""

    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with the rule's name for people."""

    label: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn of the drawer with its findings."""

    number: int
    role: str
    pieces: list[Piece]
    findings: list[ShownFinding]


def shown_turns(row: Conversation) -> list[ShownTurn]:
    """Return the turns with the findings' spans marked; one query."""
    findings: dict[int, list[Finding]] = {}
    for finding in row.findings.order_by("turn", "rule"):
        findings.setdefault(finding.turn, []).append(finding)
    return [
        ShownTurn(
            number=number,
            role=turn["role"],
            pieces=marked(turn["text"], _spans(findings.get(number, []))),
            findings=[
                ShownFinding(label_of(finding.rule), finding)
                for finding in findings.get(number, [])
            ],
        )
        for number, turn in enumerate(row.turns)
    ]


def first_flagged(turns: Iterable[ShownTurn]) -> int | None:
    """Return the number of the first turn with a finding."""
    return next((turn.number for turn in turns if turn.findings), None)


def _spans(findings: Iterable[Finding]) -> list[tuple[int, int]]:
    return sorted((start, end) for finding in findings for start, end in finding.spans)


def marked(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """Cut a text at the borders of sorted spans; together the pieces are the text."""
    pieces: list[Piece] = []
    place = 0
    for start, end in spans:
        begin = max(start, place)
        if end <= begin:
            continue
        if begin > place:
            pieces.append(Piece(text[place:begin], is_marked=False))
        pieces.append(Piece(text[begin:end], is_marked=True))
        place = end
    if place < len(text):
        pieces.append(Piece(text[place:], is_marked=False))
    return pieces


def neighbours(row: Conversation, rows: RowFilter) -> dict[str, int | None]:
    """Return the rows before and after this one in table order, under the filter."""
    others = rows.rows(row.dataset).order_by("position")
    return {
        "following": others.filter(position__gt=row.position).values_list("pk", flat=True).first(),
        "before": others.filter(position__lt=row.position).values_list("pk", flat=True).last(),
    }


def last_action(dataset: Dataset) -> Action | None:
    """Return the newest action that can still be undone."""
    return (
        dataset.actions.filter(undoes=None, undone_by=None)
        .select_related("actor")
        .order_by("-pk")
        .first()
    )


def history(dataset: Dataset) -> list[Action]:
    """Return the newest 200 actions."""
    found = dataset.actions.select_related("actor", "undone_by").order_by("-pk")
    return list(found[:200])


def rescoring_of(dataset: Dataset) -> Rescoring | None:
    """Return the judging that is under way, or that came to nothing."""
    return Rescoring.objects.filter(dataset=dataset).exclude(state=State.SUCCEEDED).first()


def header(dataset: Dataset) -> dict[str, Any]:
    """Return what every page of a dataset shows on top."""
    return {
        "dataset": dataset,
        "last_version": dataset.versions.aggregate(last=Max("number"))["last"],
        "undoable": last_action(dataset),
        "rescoring": rescoring_of(dataset),
    }


def status_counts(dataset: Dataset) -> Counter[str]:
    """Return the rows by status of a dataset that was just read."""
    return rows_by_status(_groups(dataset, RowFilter()))


def copy_count(dataset: Dataset) -> int:
    """Return how many rows say the same as an earlier one, but for case and punctuation."""
    rows = RowFilter(copies="1").rows(dataset)
    return counted(dataset, "copies", rows.count)


def rule_hits(dataset: Dataset) -> dict[str, int]:
    """Return how many rows each rule set aside."""
    return rows_by_reason(groups_in(dataset, RowFilter()))


def deletion_of(dataset: Dataset) -> dict[str, int]:
    """Return what deleting the dataset would mean."""
    return {"rows": status_counts(dataset).total(), "versions": dataset.versions.count()}


def score_of_version(version: Version) -> Score:
    """Return a version's quality score as it was when it was frozen; no query."""
    rows = int(version.counts.get("rows", 0))
    valid = round(version.quality_score * rows)
    counts = version.counts
    found = quality.QualityCounts(rows, valid, counts.get("rules", {}), counts.get("copies", 0))
    return _score(found)
