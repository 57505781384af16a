"""Freezing: a dataset's rows of this moment become a version."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules import policy
from datasets_app.models import Choice, Dataset, Removal, Version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew
from otto_web.lib.work.states import OVER


@transaction.atomic(durable=True)
def order_version(
    dataset: Dataset, *, choice: str = Choice.KEPT, name: str = "", user: User | None
) -> Version:
    """Write down that a version is wanted; the row is the order, a worker freezes it."""
    version = new_version(dataset, choice=choice, name=name, user=user)
    hint(Version.job, version.pk)
    return version


@transaction.atomic(durable=True)
def delete_version(version: Version, *, by: User) -> None:
    """Remove a version and its knowledge for good; refused while something is made of it.

    Raises CorpusError with the sentence. The rows stay in the dataset; of one that was deleted,
    those go that only this version held.
    """
    if version.is_under_way:
        raise CorpusError("This version is being frozen. Wait until that is over.")
    audit.record(by, "delete", version, before={"name": version.name})
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
    order = Removal.objects.filter(dataset=version.dataset_id, state__in=OVER).first()
    if order is not None and order_anew(Removal.objects.filter(pk=order.pk), cursor=0, done=0):
        hint(Removal.job, order.pk)


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
