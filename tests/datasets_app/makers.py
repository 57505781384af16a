"""Small conversations and datasets for the tests of this app."""

from __future__ import annotations

from django.db import transaction

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.rules import policy
from datasets_app.models import Conversation as Row
from datasets_app.models import Dataset, Tally
from datasets_app.selectors.quality import groups_of
from datasets_app.services import writing
from datasets_app.services.datasets import create_dataset


def pair(question, answer):
    return Conversation((Turn("user", question), Turn("assistant", answer)))


def add(dataset, conversations, *, first=0):
    """Write the conversations under keys that depend on their place only; return how many."""
    rows = [
        writing.NewRow(conversation, origin_key=f"row-{number}")
        for number, conversation in enumerate(conversations, start=first)
    ]
    with transaction.atomic():
        return writing.write_rows(dataset, rows, policy.standard())


def support_dataset(owner):
    """Return a dataset of 30 fine conversations, an empty answer and a short one."""
    made = create_dataset("Support", by=owner)
    good = [
        pair(f"Where is my parcel number {n}?", f"Parcel {n} left our warehouse on day {n}.")
        for n in range(30)
    ]
    bad = [pair("How do I reset my password?", ""), pair("Tell me about returns", "yes i")]
    add(made, [*good, *bad])
    return made


def tally_follows(dataset):
    """Say whether the tally follows, and holds what the rows are."""
    held = Dataset.objects.get(pk=dataset.pk)
    kept = Tally.objects.get(dataset=held)
    told = {(one, by, tuple(why)): n for one, by, why, n in kept.groups}
    found = groups_of(Row.objects.filter(dataset=held))
    counted = {(group.status, group.decision, group.reasons): group.count for group in found}
    return kept.at == held.changes and told == counted
