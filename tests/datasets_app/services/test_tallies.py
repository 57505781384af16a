"""The tally of a large dataset says at every moment what counting its rows would say."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.rules import policy
from datasets_app.jobs.freezing import freeze_version
from datasets_app.jobs.rescoring import rescore_dataset
from datasets_app.models import Decision
from datasets_app.selectors import estimates
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.scores import groups_in
from datasets_app.services import curation, datasets, editing, tagging, tallies
from datasets_app.services.changes import begin_change
from tests.datasets_app.makers import pair, support_dataset, tally_follows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
OTHER = pair("Where is it, the jacket that I sent back?", "It arrived and the money is sent.")


@pytest.fixture
def dataset(cora, monkeypatch):
    for module in (estimates, tallies):
        monkeypatch.setattr(module, "MOST_EXACT", 5)
    made = support_dataset(cora)
    tallies.count_behind()
    return made


@pytest.mark.checklist(164)
def test_it_follows_every_change_of_rows(dataset, cora):
    assert tally_follows(dataset)
    rows = list(dataset.conversations.order_by("position"))
    decided = curation.decide_rows(dataset, [rows[1].pk, rows[2].pk], Decision.EXCLUDE, by=cora)
    assert tally_follows(dataset)
    curation.undo(decided, by=cora)
    assert tally_follows(dataset)
    editing.edit_row(dataset, editing.Seen(rows[0].pk, 1), pair("Why?", ""), by=cora)
    assert tally_follows(dataset)
    first, second = (editing.Seen(row.pk, 1) for row in rows[3:5])
    editing.join_rows(dataset, first, OTHER, second, by=cora)
    assert tally_follows(dataset)
    editing.write_row(dataset, OTHER, "one", by=cora)
    assert tally_follows(dataset)
    tagging.tag_rows(dataset, [rows[5].pk], "late", has=True, by=cora)
    assert tally_follows(dataset)
    freeze_version(dataset, user=cora)
    assert tally_follows(dataset)
    datasets.set_policy(dataset, policy.standard().changed("too_short", enabled=False), by=cora)
    rescore_dataset(dataset.pk)
    assert tally_follows(dataset)


def test_one_that_missed_a_change_is_not_believed_and_counted_anew(dataset):
    begin_change(dataset.pk)
    dataset.conversations.filter(position=1).update(status="review")
    held = groups_in(dataset, RowFilter())
    assert sum(group.count for group in held.groups if group.status == "review") == 1
    assert not tally_follows(dataset)
    tallies.count_behind()
    assert tally_follows(dataset)


def test_all_that_match_are_counted_before_a_decision_about_them(dataset, client_of, cora):
    page = f"{reverse('dataset-detail', args=[dataset.pk])}?quality=90-100"
    client = client_of(cora)
    assert "all about " in " ".join(client.get(page).content.decode().split())
    where = f"{reverse('rows-decide', args=[dataset.pk])}?quality=90-100"
    body = {"decision": "exclude", "scope": "matching", "previewed": ""}
    asked = client.post(where, body)
    rows = dataset.conversations.filter(quality__gte=90)
    assert asked.status_code == 422
    assert f"Exactly {rows.count():,} rows match" in asked.content.decode()
    assert not rows.filter(status="excluded").exists()
    assert client.post(where, body | {"previewed": rows.count()}).status_code == 302
    assert not rows.exclude(status="excluded").exists()
    assert tally_follows(dataset)
