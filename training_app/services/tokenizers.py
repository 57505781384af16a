"""Ordering tokenizers, and letting them go."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.models import Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.states import State
from training_app.lm.config import TrainingError
from training_app.lm.tokenizer_backends import BACKENDS, Recipe
from training_app.models import MadeTokenizer, Run
from training_app.services.runs import VersionRefusedError


@transaction.atomic
def order_tokenizer(
    version: Version, recipe: Recipe, *, name: str = "", by: User | None
) -> MadeTokenizer:
    """Write down that a tokenizer is wanted; the row is the order, a worker makes it."""
    if version.state != State.SUCCEEDED:
        raise VersionRefusedError("This version is not frozen yet, so nothing can be made of it.")
    label = BACKENDS[recipe.method].label
    made = MadeTokenizer.objects.create(
        name=name.strip() or f"{version.dataset.name[:120]}, {label}, {recipe.vocab_size:,}",
        version=version,
        recipe=recipe.as_json(),
        created_by=by,
    )
    audit.record(by, "make tokenizer", made, after={"name": made.name, **recipe.as_json()})
    hint(MadeTokenizer.job, made.pk)
    return made


@transaction.atomic
def delete_tokenizer(made: MadeTokenizer, *, by: User) -> None:
    """Forget a tokenizer; a sweep removes its files. Raises TrainingError while a run needs it."""
    waiting = Run.objects.filter(
        state__in=(State.QUEUED, State.RUNNING), spec__data__made_tokenizer=str(made.pk)
    )
    if waiting.exists():
        raise TrainingError("A run that is under way begins with this tokenizer.")
    audit.record(by, "delete tokenizer", made, before={"name": made.name})
    made.delete()
