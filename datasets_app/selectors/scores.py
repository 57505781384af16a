"""Figures of a dataset as people read them: rows by status and rule, the quality score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from datasets_app.corpus import quality
from datasets_app.models import Dataset, Status, Version
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


def groups_in(dataset: Dataset, rows: RowFilter) -> list[Group]:
    """Return what the filter's scope is made up of now; two queries after a change, else one."""
    dataset.refresh_from_db(fields=["changes"])  # it may have been read before the change
    return _groups(dataset, rows)


def _groups(dataset: Dataset, rows: RowFilter) -> list[Group]:
    scope = rows.scope
    return counted(
        dataset, f"groups {scope.meaning(dataset)}", lambda: groups_of(scope.rows(dataset))
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


def score_of_version(version: Version) -> Score:
    """Return a version's quality score as it was when it was frozen; no query."""
    rows = int(version.counts.get("rows", 0))
    valid = round(version.quality_score * rows)
    counts = version.counts
    found = quality.QualityCounts(rows, valid, counts.get("rules", {}), counts.get("copies", 0))
    return _score(found)
