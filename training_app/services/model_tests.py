"""Keeping test sets, and ordering that a model is tested."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.models import Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from training_app.lm.config import TrainingError
from training_app.lm.measures import as_json, read_tests
from training_app.models import ModelTest, TestSet, TrainedModel

SPLITS = ("validation", "test")


@transaction.atomic
def make_test_set(name: str, text: str, *, by: User) -> TestSet:
    """Keep the questions of a text. Raises TrainingError that names the first mistake."""
    questions = [as_json(one) for one in read_tests(text)]
    name = clean_text(name).text.strip()[:200] or f"{len(questions)} questions"
    made = TestSet.objects.create(name=name, questions=questions, created_by=by)
    audit.record(by, "test set.made", made, after={"name": name, "questions": len(questions)})
    return made


@transaction.atomic
def delete_test_set(test_set: TestSet, *, by: User) -> None:
    """Delete a test set with what models reached on it."""
    audit.record(by, "test set.deleted", test_set, before={"name": test_set.name})
    test_set.delete()


@transaction.atomic
def order_test(
    model: TrainedModel,
    *,
    by: User | None,
    version: Version | None = None,
    split: str = "",
    test_set: TestSet | None = None,
) -> ModelTest:
    """Have a model tested. Raises TrainingError where there is nothing to ask, or it cannot."""
    if not model.is_chat:
        raise TrainingError("This model completes text and answers nothing, so it cannot be asked.")
    if test_set is None and (version is None or split not in SPLITS):
        raise TrainingError("Choose a test set, or a version and one of its splits.")
    if version is not None and not version.rows.filter(split=split).exists():
        raise TrainingError(f"The {split} split of {version} is empty.")
    order = ModelTest.objects.create(
        model=model, version=version, split=split, test_set=test_set, created_by=by
    )
    audit.record(by, "test.ordered", model, after={"test": str(test_set or f"{version} {split}")})
    hint(ModelTest.job, order.pk)
    return order
