"""The fields of a row: who may write, what comes back, and what two people see of each other."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import Conversation, Turn, from_json
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def row(dataset):
    return dataset.conversations.order_by("position").first()


def address(row):
    return reverse("row-edit", args=[row.dataset_id, row.pk])


def fields(conversation, *, revision=1, do="save", **more):
    roles = [turn.role for turn in conversation.turns]
    plain = [re.sub("\r\n?", "\n", turn.text) for turn in conversation.turns]
    texts = [text.replace("\n", "\r\n") for text in plain]  # as browsers send
    return {"role": roles, "text": texts, "revision": revision, "do": do, **more}


def said(row):
    row.refresh_from_db()
    return from_json(row.turns)


@pytest.mark.slow
def test_only_who_may_decide_may_write(client_of, mia, cora, row, client):
    write = reverse("row-write", args=[row.dataset_id])
    for where in (address(row), write):
        assert client_of(mia).get(where).status_code == 403
        assert client.get(where).status_code == 302
        assert client_of(cora).put(where).status_code == 405
        assert client_of(cora).get(where).status_code == 200
    nowhere = reverse("row-edit", args=[row.dataset_id, 10**12])
    assert client_of(cora).get(nowhere).status_code == 404


@pytest.mark.slow
def test_saving_shows_who_changed_what(client_of, cora, theo, row):
    wanted = pair("Where is my parcel number 0?", "Parcel 0 is at the front desk since noon.")
    shown = client_of(cora).post(address(row), fields(wanted), headers=HTMX)
    assert shown["HX-Trigger-After-Settle"] == "otto:rows-changed"
    assert said(row) == wanted
    page = client_of(theo).get(reverse("conversation-detail", args=[row.dataset_id, row.pk]))
    told = page.content.decode()
    assert "Changed by <bdi>cora" in told
    assert "<del" in told
    trail = client_of(theo).get(reverse("dataset-history", args=[row.dataset_id]))
    assert "1 conversation changed" in trail.content.decode()


def test_an_address_may_suggest_the_new_answer_of_a_row_with_one(client_of, cora, row):
    before = said(row)
    shown = client_of(cora).get(address(row), {"answer": "It is <b>here</b>."}).content.decode()
    assert "It is &lt;b&gt;here&lt;/b&gt;.</textarea>" in shown
    assert "<ins" in shown
    assert said(row) == before


def test_the_second_to_save_gets_both_texts_and_keeps_the_own(client_of, cora, theo, row):
    theirs, mine = pair("Where is it?", "At the desk of Theo."), pair("Where is it?", "In my bag.")
    client_of(theo).post(address(row), fields(theirs))
    answer = client_of(cora).post(address(row), fields(mine))
    told = answer.content.decode()
    assert answer.status_code == 422
    assert "theo changed this conversation" in told
    assert "At the desk of Theo." in told
    assert "In my bag.</textarea>" in told
    assert said(row) == theirs
    client_of(cora).post(address(row), fields(mine, revision=answer.context["revision"]))
    assert said(row) == mine


def test_turns_are_added_and_deleted_before_anything_is_saved(client_of, cora, row):
    before, curator = said(row), client_of(cora)
    longer = curator.post(address(row), fields(before, do="add:1")).context["turns"]
    assert longer == (*before.turns, Turn("user", ""))
    shorter = curator.post(address(row), fields(before, do="remove:0")).context["turns"]
    assert shorter == before.turns[1:]
    changed = pair(before.turns[0].text, "Something else.")
    looked = curator.post(address(row), fields(changed, do="look")).content.decode()
    assert "<ins" in looked
    assert said(row) == before


def test_line_ends_that_no_browser_keeps_are_not_changed_by_saving(client_of, cora):
    made = create_dataset("Lines", by=cora)
    odd = pair("\nOne\r\ntwo\rthree\n four?", "The answer of three lines\nstays\nas it is here.")
    add(made, [odd, pair("Is this one more?", "It is one more of two rows.")])
    row = made.conversations.order_by("position").first()
    turns = client_of(cora).get(address(row)).context["turns"]
    client_of(cora).post(address(row), fields(Conversation(turns)))
    assert (said(row), row.revision) == (odd, 1)
    wanted = pair("One\r\ntwo", odd.turns[1].text)
    client_of(cora).post(address(row), fields(wanted))
    assert said(row).turns[0].text == "One\ntwo"
    assert said(row).turns[1] == odd.turns[1]


def test_a_row_is_split_and_joined_from_its_fields(client_of, cora, dataset, row):
    curator, before = client_of(cora), said(row)
    shown = curator.get(address(row))
    other = shown.context["following"]
    names = {"following": other.pk, "following_revision": other.revision}
    curator.post(address(row), fields(before, do="join", **names))
    assert said(row).turns == before.turns + from_json(other.turns).turns
    curator.post(address(row), fields(said(row), revision=2, do="split:2"))
    assert said(row) == before
    assert from_json(dataset.conversations.latest("position").turns) == from_json(other.turns)


def test_a_conversation_is_written_once_and_nonsense_comes_back(client_of, cora, dataset):
    curator, where = client_of(cora), reverse("row-write", args=[dataset.pk])
    key = curator.get(where).context["key"]
    refused = curator.post(where, fields(pair("", ""), key=key))
    assert refused.status_code == 422
    words = pair("When do you open?", "We open at nine in the morning.")
    for _ in range(2):
        assert curator.post(where, fields(words, key=key)).status_code == 302
    assert dataset.conversations.filter(origin="hand").count() == 1


def test_a_row_of_too_many_turns_says_so(client_of, cora):
    made = create_dataset("Long", by=cora)
    add(made, [Conversation(tuple(Turn("user", f"turn {n}") for n in range(401)))])
    row = made.conversations.get()
    answer = client_of(cora).get(address(row))
    assert answer.status_code == 422
    assert "more than 400 turns" in answer.content.decode()


@pytest.mark.slow
@pytest.mark.checklist(148)
def test_a_conversation_is_written_changed_taken_out_and_all_of_it_undone(client_of, cora, dataset):
    curator, table = client_of(cora), reverse("dataset-detail", args=[dataset.pk])
    write = reverse("row-write", args=[dataset.pk])
    words = pair("When do you open?", "We open at nine in the morning.")
    key = curator.get(write).context["key"]
    assert curator.post(write, fields(words, key=key)).status_code == 302
    row = dataset.conversations.get(origin="hand")
    better = pair("When do you open?", "We open at eight in the morning.")
    curator.post(address(row), fields(better))
    assert said(row) == better
    out = {"decision": "exclude", "scope": "selected", "row": [row.pk]}
    curator.post(reverse("rows-decide", args=[dataset.pk]), out)
    assert "excluded" in curator.get(table, {"status": "excluded"}).content.decode()
    row.refresh_from_db()
    assert row.status == "excluded"
    for wanted, status in ((better, "kept"), (words, "kept")):
        action = curator.get(table).context["undoable"]
        curator.post(reverse("action-undo", args=[dataset.pk, action.pk]))
        assert (said(row), row.status) == (wanted, status)
