"""Freezing: a dataset's rows of this moment become a version."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules import policy
from datasets_app.corpus.split import Shares
from datasets_app.models import Choice, Dataset, Removal, Scoring, Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import OVER


@dataclass(frozen=True, slots=True)
class VersionOrder:
    """What somebody wants of a version; without shares and seed it has those of the dataset."""

    choice: str = Choice.KEPT
    name: str = ""
    note: str = ""
    shares: Shares | None = None
    seed: int | None = None
    scoring: Scoring | None = None  # rows are those that score `threshold` or more there
    threshold: Decimal | None = None
    with_passages: bool = False  # which have no score, and are found by who asks


@transaction.atomic(durable=True)
def order_version(
    dataset: Dataset, order: VersionOrder | None = None, *, user: User | None
) -> Version:
    """Write down that a version is wanted; the row is the order, a worker freezes it."""
    version = new_version(dataset, order or VersionOrder(), user=user)
    hint(Version.job, version.pk)
    return version


@transaction.atomic
def set_note(version: Version, note: str, *, by: User) -> None:
    """Let a version say something else to people; nothing that was frozen changes."""
    before, version.note = version.note, note.strip()
    if before != version.note:
        version.save(update_fields=["note"])
        audit.record(by, "set note", version, before={"note": before}, after={"note": version.note})


@transaction.atomic(durable=True)
def delete_version(version: Version, *, by: User) -> None:
    """Remove a version and its knowledge for good; refused while something is made of it.

    Raises CorpusError with the sentence. The rows stay in the dataset; of one that was deleted,
    those go that only this version held.
    """
    if version.is_under_way:
        raise CorpusError("This version is being frozen. Wait until that is over.")
    audit.record(by, "delete", version, before={"name": version.name})
    datasets = [version.dataset_id, *version.parts.values_list("source__dataset", flat=True)]
    try:
        Version.objects.get(pk=version.pk).delete()
    except ProtectedError as error:
        users = Counter(str(row._meta.verbose_name) for row in error.protected_objects)
        told = ", ".join(f"{count} × {name}" for name, count in sorted(users.items()))
        raise CorpusError(
            f"“{version.name}” is in use and cannot be deleted: {told}. What was made of it could "
            "not be explained without it."
        ) from error
    except IntegrityError as error:
        raise CorpusError(
            f"“{version.name}” came into use this moment and cannot be deleted. Look again at what "
            "is made of it."
        ) from error
    for order in Removal.objects.filter(dataset__in=datasets, state__in=OVER):
        if order_anew(Removal.objects.filter(pk=order.pk), cursor=0, done=0):
            hint(Removal.job, order.pk)


def new_version(dataset: Dataset, order: VersionOrder, *, user: User | None) -> Version:
    """Write the order in the caller's transaction and wake nobody.

    Its shares and its seed are those of the dataset from now on.
    """
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)  # one number at a time
    if order.shares is not None:
        dataset.validation_share, dataset.test_share = order.shares.validation, order.shares.test
    if order.seed is not None:
        dataset.split_seed = order.seed
    dataset.save(update_fields=["validation_share", "test_share", "split_seed"])
    shares = {"validation": dataset.validation_share, "test": dataset.test_share}
    version = write_version(
        dataset,
        user,
        name=order.name,
        note=order.note,
        choice=order.choice,
        scoring=order.scoring,
        threshold=order.threshold,
        with_passages=order.with_passages,
        split_seed=dataset.split_seed,
        shares=shares,
    )
    scored = {"threshold": str(order.threshold)} if order.scoring else {}
    audit.record(
        user, "freeze", version, after={"choice": order.choice, "name": version.name, **scored}
    )
    return version


def write_version(dataset: Dataset, user: User | None, *, name: str, **stored: Any) -> Version:
    """Write the order of a version with the next number; the caller holds the dataset."""
    last = dataset.versions.aggregate(last=Max("number"))["last"] or 0
    rules = policy.from_json(dataset.policy)
    version = Version(
        dataset=dataset,
        number=last + 1,
        name=name or f"{dataset.name} v{last + 1}",
        policy=rules.as_json(),
        policy_sha256=rules.sha256,
        created_by=user,
        **stored,
    )
    version.full_clean(exclude=["created_by"])  # a script is nobody
    version.save(force_insert=True)
    return version
