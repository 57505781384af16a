"""The list of datasets, and what every page of one shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max, QuerySet, Sum

from datasets_app.models import Action, Dataset, Document, Issue, Rescoring, SourceFile
from datasets_app.selectors.scores import status_counts
from otto_web.lib.work.states import State


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A dataset in the list, with its rows by status."""

    dataset: Dataset
    counts: Counter[str]


LEFT_OUT = ("too_little", "says_little")
SHOWN_LEFT_OUT = 500


def left_out_of(dataset: Dataset) -> QuerySet[Issue]:
    """Return the texts and paragraphs of a dataset's files that a length or a score left out."""
    found: QuerySet[Issue] = Issue.objects.filter(
        source_file__upload__dataset=dataset, code__in=LEFT_OUT
    )
    return found


def left_out_page(dataset: Dataset) -> dict[str, Any]:
    """Return what was left out, the first of it with its file, and what was kept."""
    found = left_out_of(dataset).select_related("source_file")
    files = SourceFile.objects.filter(upload__dataset=dataset, mapping__has_key="passages")
    kept = files.aggregate(kept=Sum("n_records", default=0))["kept"]
    n_short = left_out_of(dataset).filter(code=LEFT_OUT[0]).count()
    return {
        **header(dataset),
        "issues": list(found.order_by("source_file", "start", "pk")[:SHOWN_LEFT_OUT]),
        "n_short": n_short,
        "n_little": left_out_of(dataset).filter(code=LEFT_OUT[1]).count(),
        "n_in": kept + n_short,
        "n_kept": kept,
    }


def dataset_list(user: User) -> list[DatasetLine]:
    """Return the datasets with their counts, newest first."""
    found = Dataset.objects.visible_to(user).filter(deleted_at=None).order_by("-created_at")
    return [DatasetLine(dataset, status_counts(dataset)) for dataset in found]


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


def deletion_of(dataset: Dataset) -> dict[str, int]:
    """Return what deleting the dataset would mean."""
    return {
        "rows": status_counts(dataset).total(),
        "versions": dataset.versions.count(),
        "documents": Document.objects.filter(chunk_set__dataset=dataset).count(),
    }
