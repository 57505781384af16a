"""What pages show of test sets and of the tests of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet

from training_app.models import ModelTest, TestSet, TrainedModel
from training_app.selectors.replies import Look, look_of

MOST_SHOWN = 100  # tests of a model, newest first
MEASURES = {
    "exact": "exact",
    "keywords": "keywords",
    "pattern": "regex",
    "f1": "F1",
    "rouge_l": "ROUGE-L",
}


@dataclass(frozen=True, slots=True)
class TestLine:
    """A test in a model's history; `measures` are percentages in the order of MEASURES."""

    test: ModelTest

    @property
    def measures(self) -> list[tuple[str, float | None]]:
        return [(label, _percent(self.test.means, key)) for key, label in MEASURES.items()]


@dataclass(frozen=True, slots=True)
class TestedReply:
    """A reply of a test as its page shows it."""

    row: Mapping[str, Any]

    @property
    def look(self) -> Look | None:
        outcome = str(self.row.get("outcome") or "")
        return look_of("validation", outcome) if outcome else None

    @property
    def measures(self) -> list[tuple[str, str]]:
        values = self.row.get("measures", {})
        found = [(label, values.get(key)) for key, label in MEASURES.items()]
        return [(label, _words(value)) for label, value in found if value is not None]


def _percent(means: Mapping[str, float], key: str) -> float | None:
    return None if key not in means else 100 * means[key]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{100 * float(value):.0f} %"


def tests_of(model: TrainedModel) -> list[TestLine]:
    """Return the tests of a model, newest first, without their replies."""
    rows = ModelTest.objects.filter(model=model).defer("replies")
    related = rows.select_related("test_set", "version__dataset", "created_by")
    return [TestLine(row) for row in related.order_by("-queued_at")[:MOST_SHOWN]]


def sets_of_tests(user: User) -> QuerySet[TestSet]:
    """Return the test sets, newest first, with how many tests used each."""
    found = TestSet.objects.visible_to(user).select_related("created_by")
    return found.annotate(used=Count("tests")).order_by("-created_at")
