"""Making, naming and removing datasets, and setting their rules."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules.policy import Policy
from datasets_app.models import Dataset, Rescoring
from datasets_app.services.changes import begin_change
from datasets_app.services.removal import order_removal
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import order_anew


@transaction.atomic
def create_dataset(name: str, *, by: User | None) -> Dataset:
    """Make an empty dataset; a name that is taken gets a number."""
    dataset = Dataset(name=free_name(name), created_by=by)
    dataset.full_clean()
    dataset.save(force_insert=True)
    audit.record(by, "create", dataset, after={"name": dataset.name})
    return dataset


def free_name(wanted: str) -> str:
    """Return the name, or the name with the first number that makes it free."""
    base = wanted.strip()[:180] or "Dataset"
    taken = set(
        Dataset.objects.filter(name__startswith=base, deleted_at=None).values_list(
            "name", flat=True
        )
    )
    if base not in taken:
        return base
    number = 2
    while f"{base} {number}" in taken:
        number += 1
    return f"{base} {number}"


@transaction.atomic
def rename_dataset(dataset: Dataset, name: str, *, by: User) -> None:
    taken = Dataset.objects.filter(name=name, deleted_at=None).exclude(pk=dataset.pk)
    if taken.exists():
        raise CorpusError(f"There is another dataset called “{name}”. Choose another name.")
    before, dataset.name = dataset.name, name
    dataset.full_clean()
    dataset.save(update_fields=["name"])
    audit.record(by, "rename", dataset, before={"name": before}, after={"name": name})


@transaction.atomic
def delete_dataset(dataset: Dataset, *, by: User) -> None:
    """Take the dataset out of sight; its versions stay for the models that name them.

    The rows themselves are removed by a worker, except those that a version holds.
    """
    if Dataset.objects.filter(pk=dataset.pk, deleted_at=None).update(deleted_at=Now()):
        order_removal(dataset=dataset, by=by)
        audit.record(by, "delete", dataset, before={"name": dataset.name})


@transaction.atomic(durable=True)
def set_policy(dataset: Dataset, policy: Policy, *, by: User) -> Rescoring:
    """Store other rule settings and order that all rows are judged again."""
    orders = Rescoring.objects.select_for_update()  # before the dataset, as the job locks them
    order, _ = orders.get_or_create(dataset=dataset)
    total = dataset.conversations.count()
    mine = Rescoring.objects.filter(pk=order.pk)
    order_anew(mine, cursor=0, done=0, total=total, created_by=by)
    before = begin_change(dataset.pk, is_told=True).policy
    dataset.policy = policy.as_json()
    dataset.save(update_fields=["policy"])
    audit.record(by, "set rules", dataset, before=before, after=dataset.policy)
    hint(Rescoring.job, dataset.pk)
    return order
