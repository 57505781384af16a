"""Figures of a dataset as people read them: rows by status and rule, the quality score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from datasets_app.corpus import quality
from datasets_app.models import Conversation, Dataset, Status, Tally, Version
from datasets_app.selectors.counted import counted
from datasets_app.selectors.estimates import (
    MOST_FOUND,
    Count,
    in_sample,
    is_few,
    is_large,
    rounded,
    scale_of,
)
from datasets_app.selectors.quality import (
    Group,
    copies_in,
    groups_of,
    rows_by_reason,
    rows_by_status,
    tally,
)
from datasets_app.selectors.row_filter import RowFilter

SOME_KEYS, OF_KEYS = "04", 64  # keys are hashes: one in 64 of them is smaller


@dataclass(frozen=True, slots=True)
class Score:
    """A quality score in figures and words; of a large dataset, copies are estimated."""

    share: float
    percent: int
    band: str
    words: str
    valid: int
    invalid: int
    copies: Count
    advice: list[quality.Advice]

    @property
    def badge(self) -> str:
        """Return the verdict in a word or two; the reason where the score alone says otherwise."""
        if self.band == quality.band_of(self.share).name:
            return self.band
        return "too few rows" if self.band == quality.CRITICAL.name else "many copies"


@dataclass(frozen=True, slots=True)
class Groups:
    """How a set of rows is made up; the numbers of an estimate are rounded."""

    groups: list[Group]
    is_estimate: bool = False


def groups_in(dataset: Dataset, rows: RowFilter) -> Groups:
    """Return what the filter's scope is made up of now.

    What the whole dataset is made up of is always exact.
    """
    dataset.refresh_from_db(fields=["changes", "next_position"])  # it may have been read earlier
    return _groups(dataset, rows)


def _groups(dataset: Dataset, rows: RowFilter) -> Groups:
    scope = rows.scope
    return counted(dataset, f"groups {scope.meaning(dataset)}", lambda: _count(dataset, scope))


def _count(dataset: Dataset, scope: RowFilter) -> Groups:
    matching = scope.rows(dataset)
    if not is_large(dataset):
        return Groups(groups_of(matching))
    if not scope.narrows:
        kept = Tally.objects.filter(dataset=dataset, at=dataset.changes).first()
        return Groups(_kept(kept) if kept else groups_of(matching))
    seen = groups_of(matching.filter(in_sample(dataset)))
    if scope.is_found_by_index and is_few(sum(group.count for group in seen)):
        few = groups_of(matching, most=MOST_FOUND)
        if sum(group.count for group in few) < MOST_FOUND:
            return Groups(few)
    scale = scale_of(dataset)
    guessed = [replace(group, count=rounded(group.count * scale)) for group in seen]
    return Groups(guessed, is_estimate=True)


def _kept(tally: Tally) -> list[Group]:
    return [Group(status, decision, tuple(why), n) for status, decision, why, n in tally.groups]


def score_of(dataset: Dataset) -> Score:
    """Return the dataset's quality score; rows that are excluded are nobody's copies."""
    counts = tally(groups_in(dataset, RowFilter()).groups)
    left = dataset.conversations.exclude(status=Status.EXCLUDED)
    copies = counted(dataset, "copies among those left", lambda: _copies(dataset, left))
    return _score(replace(counts, copies=copies.number), copies)


def _copies(dataset: Dataset, rows: QuerySet[Conversation]) -> Count:
    """Return how many rows say the same as another of them, the first of each left out."""
    if not is_large(dataset):
        return Count(copies_in(rows))
    some = rows.filter(exact_key__lt=SOME_KEYS)  # with all rows of each key
    return Count(rounded(copies_in(some) * OF_KEYS), is_estimate=True)


def _score(counts: quality.QualityCounts, copies: Count) -> Score:
    band = quality.verdict(counts)
    return Score(
        share=counts.quality_score,
        percent=int(counts.quality_score * 100),
        band=band.name,
        words=band.words if counts.total else quality.EMPTY_MESSAGE,
        valid=counts.valid,
        invalid=counts.total - counts.valid,
        copies=copies,
        advice=quality.advice(counts),
    )


def status_counts(dataset: Dataset) -> Counter[str]:
    """Return the rows by status of a dataset that was just read."""
    return rows_by_status(_groups(dataset, RowFilter()).groups)


def copy_count(dataset: Dataset) -> Count:
    """Return how many rows say the same as an earlier one, but for case and punctuation."""
    return counted(dataset, "copies", lambda: _copies(dataset, dataset.conversations.all()))


def rule_hits(dataset: Dataset) -> dict[str, int]:
    """Return how many rows each rule set aside."""
    return rows_by_reason(groups_in(dataset, RowFilter()).groups)


def score_of_version(version: Version) -> Score:
    """Return a version's quality score as it was when it was frozen; no query."""
    rows = int(version.counts.get("rows", 0))
    valid = round(version.quality_score * rows)
    counts = version.counts
    found = quality.QualityCounts(rows, valid, counts.get("rules", {}), counts.get("copies", 0))
    return _score(found, Count(found.copies))
