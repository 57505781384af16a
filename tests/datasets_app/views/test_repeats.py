"""The queue of repeats: what it shows, what a decision does, and who comes second."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.jobs.repeats import find_repeats
from datasets_app.models import RepeatSearch, Status
from datasets_app.services.datasets import create_dataset
from datasets_app.services.editing import Seen, edit_row
from datasets_app.services.repeats import order_search
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset(cora):
    made = create_dataset("Support", by=cora)
    add(
        made,
        [
            pair("How long can I return it?", "You have 14 days to send it back to us."),
            pair("how long can I return it", "You have 30 days to send it back to us."),
            pair("Where are you?", "Beside the old town hall."),
            pair("where are you", "Beside the old town hall"),
            pair("where are  you", "beside the old town hall!"),
        ],
    )
    return made


@pytest.fixture
def conflict(dataset, cora):
    order_search(dataset, by=cora)
    find_repeats(dataset.pk)
    return dataset.clusters.get(kind="conflict")


def address(cluster, name="repeat-decide"):
    return reverse(name, args=[cluster.dataset_id, cluster.pk])


def said(cluster, do, *kept, **more):
    """Return what the form of a card sends; rows by their place in the dataset."""
    rows = dict(cluster.members.values_list("conversation__position", "conversation"))
    return {
        "row": [f"{pk}:1" for pk in rows.values()],
        "keep": [rows[place] for place in kept],
        "do": do,
        **more,
    }


def statuses(cluster):
    rows = cluster.dataset.conversations.order_by("position")
    return list(rows.values_list("status", flat=True)[:2])


@pytest.mark.slow
def test_before_a_search_the_page_says_what_it_does_and_the_button_orders_one(
    dataset, cora, client_of
):
    client = client_of(cora)
    page = reverse("repeat-list", args=[dataset.pk])
    assert b"What repeats, and what contradicts" in client.get(page).content
    assert client.post(reverse("repeats-find", args=[dataset.pk])).status_code == 302
    assert RepeatSearch.objects.get().state == State.QUEUED
    looked = client.get(page, headers={**HTMX, "HX-Target": "repeat-search"})
    assert "Reading new and changed conversations: 0 of 5" in looked.content.decode()
    assert "HX-Trigger-After-Settle" not in looked
    client.post(reverse("repeats-find", args=[dataset.pk]), {"do": "stop"})
    over = client.get(page, headers={**HTMX, "HX-Target": "repeat-search"})
    assert over["HX-Trigger-After-Settle"] == "otto:repeats-found"  # the list comes by itself
    assert RepeatSearch.objects.get().state == State.CANCELLED
    assert b"The search was stopped" in client.get(page).content


def test_a_conflict_shows_the_words_and_facts_that_differ(conflict, cora, client_of):
    page = client_of(cora).get(reverse("repeat-list", args=[conflict.dataset_id]))
    told = page.content.decode()
    assert "One question, different answers: 2 conversations" in told
    assert "<mark>30 </mark>" in told.replace("<mark\n                >", "<mark>")
    assert "<bdi>30</bdi> instead of <bdi>14</bdi>" in told
    assert "There is no encoder" in told
    copies = client_of(cora).get(page.request["PATH_INFO"], {"kind": "exact"}).content.decode()
    assert "exclude 2 copies" in copies


def test_one_is_kept_the_others_are_excluded_and_undo_brings_them_back(conflict, cora, client_of):
    client = client_of(cora)
    answer = client.post(address(conflict), said(conflict, "keep", 2), headers=HTMX)
    assert "1 of 2 repeats kept by" in answer.content.decode()
    assert statuses(conflict) == [Status.EXCLUDED, Status.KEPT]
    answer = client.post(address(conflict, "repeat-undo"), headers=HTMX)
    assert "different answers: 2 conversations" in answer.content.decode()
    assert statuses(conflict) == [Status.KEPT, Status.KEPT]
    client.post(address(conflict), said(conflict, "all"), headers=HTMX)
    assert conflict.dataset.clusters.waiting().count() == 1
    assert statuses(conflict) == [Status.KEPT, Status.KEPT]


def test_an_answer_written_anew_is_in_the_one_that_stays_until_it_is_undone(
    conflict, cora, client_of
):
    client = client_of(cora)
    words = "You have 14 days, members 30."
    client.post(address(conflict), said(conflict, "merge", 1, answer=words), headers=HTMX)
    row = conflict.dataset.conversations.get(position=1)
    assert (row.turns[1]["text"], row.revision) == (words, 2)
    assert statuses(conflict) == [Status.KEPT, Status.EXCLUDED]
    client.post(address(conflict, "repeat-undo"), headers=HTMX)
    row.refresh_from_db()
    assert row.turns[1]["text"] == "You have 14 days to send it back to us."
    assert statuses(conflict) == [Status.KEPT, Status.KEPT]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"do": "keep"}, "Choose at least one"),
        ({"do": "nonsense", "keep": ["x", "99999999999999999999"]}, "Choose at least one"),
        ({"do": "merge", "keep": [1, 2], "answer": "a b c"}, "Choose at least one"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(conflict, cora, form, sentence, client_of):
    answer = client_of(cora).post(address(conflict), form, headers=HTMX)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert statuses(conflict) == [Status.KEPT, Status.KEPT]


def test_who_decides_second_is_told_so_and_nothing_of_the_first_is_lost(
    conflict, cora, ada, client_of
):
    client_of(cora).post(address(conflict), said(conflict, "keep", 1), headers=HTMX)
    answer = client_of(ada).post(address(conflict), said(conflict, "keep", 2), headers=HTMX)
    assert answer.status_code == 422
    assert "cora decided about these conversations before you" in answer.content.decode()
    assert statuses(conflict) == [Status.KEPT, Status.EXCLUDED]


def test_a_row_that_changed_meanwhile_is_looked_at_again(conflict, cora, client_of):
    row = conflict.dataset.conversations.get(position=1)
    edit_row(conflict.dataset, Seen(row.pk, 1), pair("What now?", "Something else."), by=cora)
    answer = client_of(cora).post(address(conflict), said(conflict, "keep", 1), headers=HTMX)
    assert answer.status_code == 422
    assert "Only one of these conversations is left" in answer.content.decode()
    page = client_of(cora).get(reverse("repeat-list", args=[conflict.dataset_id]))
    assert "1 came or changed since" in page.content.decode()


def test_copies_go_all_at_once_if_they_are_as_many_as_shown(conflict, cora, client_of):
    client, where = client_of(cora), reverse("repeat-copies", args=[conflict.dataset_id])
    assert client.post(where, {"previewed": "7"}).status_code == 422
    assert client.post(where, {"previewed": "2"}).status_code == 302
    rows = conflict.dataset.conversations
    assert rows.filter(status=Status.EXCLUDED).count() == 2
    assert rows.get(position=3).status == Status.KEPT
    assert not conflict.dataset.clusters.waiting().filter(kind="exact").exists()


def test_strangers_and_members_are_sent_away(conflict, mia, client, client_of):
    for name in ("repeat-list", "repeats-find", "repeat-copies"):
        where = reverse(name, args=[conflict.dataset_id])
        assert client_of(mia).post(where).status_code in {403, 405}
    assert client_of(mia).post(address(conflict)).status_code == 403
    assert client.get(reverse("repeat-list", args=[conflict.dataset_id])).status_code == 302
