"""Freezing: a dataset's rows of this moment become a version."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from datasets_app.corpus.rules import policy
from datasets_app.models import Choice, Dataset, Version
from otto_web.lib import audit
from otto_web.lib.hints import hint


@transaction.atomic(durable=True)
def order_version(
    dataset: Dataset, *, choice: str = Choice.KEPT, name: str = "", user: User | None
) -> Version:
    """Write down that a version is wanted; the row is the order, a worker freezes it."""
    version = new_version(dataset, choice=choice, name=name, user=user)
    hint(Version.job, version.pk)
    return version


def new_version(dataset: Dataset, *, choice: str, name: str, user: User | None) -> Version:
    """Write the order in the caller's transaction and wake nobody."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)  # one number at a time
    last = dataset.versions.aggregate(last=Max("number"))["last"] or 0
    rules = policy.from_json(dataset.policy)
    version = Version(
        dataset=dataset,
        number=last + 1,
        name=name or f"{dataset.name} v{last + 1}",
        choice=choice,
        policy=rules.as_json(),
        policy_sha256=rules.sha256,
        split_seed=dataset.split_seed,
        shares={"validation": dataset.validation_share, "test": dataset.test_share},
        created_by=user,
    )
    version.full_clean(exclude=["created_by"])  # a script is nobody
    version.save(force_insert=True)
    audit.record(user, "freeze", version, after={"choice": choice, "name": version.name})
    return version
