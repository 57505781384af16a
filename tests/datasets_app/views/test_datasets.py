"""The pages of a dataset: with and without htmx, roles, errors, and the number of queries."""

from __future__ import annotations

import json

import pytest
from django.db.models import F
from django.urls import reverse

from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.jobs import freezing
from datasets_app.models import Dataset, Version
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, pair, support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}
UNDO_KEY = 'data-key="u"'


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def pages_of(found):
    return [
        reverse("dataset-detail", args=[found.pk]),
        reverse("version-list", args=[found.pk]),
        reverse("dataset-rules", args=[found.pk]),
        reverse("dataset-history", args=[found.pk]),
        reverse("dataset-settings", args=[found.pk]),
    ]


@pytest.mark.slow
def test_every_page_of_a_dataset_opens(dataset, curator):
    for address in pages_of(dataset):
        assert curator.get(address).status_code == 200, address


def test_a_dataset_of_passages_leads_to_its_documents(curator, dataset, cora):
    made = create_dataset("Handbook", by=cora)
    add(made, [passage("The grey can takes amalgam.")])
    words = "Make questions of the documents"
    assert words in curator.get(reverse("dataset-detail", args=[made.pk])).text
    assert words not in curator.get(reverse("dataset-detail", args=[dataset.pk])).text


def test_a_member_may_not_see_datasets_and_a_visitor_signs_in(dataset, client_of, mia, client):
    for address in pages_of(dataset):
        assert client_of(mia).get(address).status_code == 403
        assert client.get(address).status_code == 302


def test_an_unknown_dataset_is_not_found(curator):
    missing = "00000000-0000-4000-8000-000000000000"
    assert curator.get(reverse("dataset-detail", args=[missing])).status_code == 404


def test_the_table_answers_htmx_with_the_fragment_alone(dataset, curator):
    answer = curator.get(reverse("dataset-detail", args=[dataset.pk]), headers=HTMX)
    assert answer.content.decode().lstrip().startswith('<div id="dataset-table"')
    assert "HX-Request" in answer["Vary"]


def test_the_queries_of_the_table_do_not_grow_with_its_rows(
    dataset, curator, django_assert_num_queries
):
    address = reverse("dataset-detail", args=[dataset.pk])
    curator.get(address)
    with django_assert_num_queries(19):
        curator.get(address)


def test_accepting_a_selected_row_by_the_form(dataset, curator):
    row = dataset.conversations.filter(status="excluded").first()
    address = reverse("rows-decide", args=[dataset.pk])
    answer = curator.post(address, {"decision": "keep", "scope": "selected", "row": [row.pk]})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.status == "kept"


def test_deciding_with_nothing_selected_changes_nothing_and_says_so(dataset, curator):
    address = reverse("rows-decide", args=[dataset.pk])
    answer = curator.post(address, {"decision": "exclude", "scope": "selected"})
    assert answer.status_code == 422
    assert "No conversation is selected" in answer.content.decode()
    assert dataset.conversations.filter(status="kept").count() == 30


@pytest.mark.slow
def test_undoing_one_is_said_in_the_singular(dataset, curator):
    row = dataset.conversations.filter(status="kept").first()
    body = {"decision": "exclude", "scope": "selected", "row": row.pk}
    curator.post(reverse("rows-decide", args=[dataset.pk]), body, headers=HTMX)
    action = dataset.actions.get()
    answer = curator.post(reverse("action-undo", args=[dataset.pk, action.pk]), headers=HTMX)
    assert "1 conversation is as before" in answer.content.decode()


@pytest.mark.slow
def test_the_key_for_undo_takes_back_only_what_one_did_oneself(dataset, curator, client_of, ada):
    row = dataset.conversations.filter(status="kept").first()
    body = {"decision": "exclude", "scope": "selected", "row": row.pk}
    curator.post(reverse("rows-decide", args=[dataset.pk]), body, headers=HTMX)
    address = reverse("dataset-detail", args=[dataset.pk])
    assert UNDO_KEY in curator.get(address).content.decode()
    seen = client_of(ada).get(address).content.decode()
    assert "Undo “1 conversation excluded” of cora" in seen
    assert UNDO_KEY not in seen


@pytest.mark.slow
def test_excluding_all_that_match_and_undoing_it(dataset, curator):
    curator.get(reverse("dataset-detail", args=[dataset.pk]))
    address = reverse("rows-decide", args=[dataset.pk]) + "?status=kept"
    body = {"decision": "exclude", "scope": "matching", "previewed": "30"}
    answer = curator.post(address, body, headers=HTMX)
    assert "30 conversations excluded" in answer.content.decode()
    assert answer.context["page"].matching.number == 0  # the counts are those after the decision
    assert answer.context["page"].total == 32
    action = dataset.actions.get()
    answer = curator.post(reverse("action-undo", args=[dataset.pk, action.pk]), headers=HTMX)
    assert "30 conversations are as before" in answer.content.decode()
    assert dataset.conversations.filter(status="kept").count() == 30


@pytest.mark.checklist(157, 164)
def test_the_drawer_opens_at_the_flagged_turn_with_the_repeat_marked(cora, curator):
    made = create_dataset("Repeats", by=cora)
    add(made, [pair("Who are you?", "I am the shop helper. " * 6)])
    row = made.conversations.get()
    page = curator.get(reverse("conversation-detail", args=[made.pk, row.pk])).content.decode()
    assert 'data-reveal="turn-1"' in page
    assert "<mark" in page


def test_markup_in_a_conversation_stays_text(cora, curator):
    made = create_dataset("<b>Odd</b>", by=cora)
    add(made, [pair("<script>alert(1)</script>", "Please use {{7*7}} and <img src=x onerror=y>.")])
    row = made.conversations.get()
    for address in (
        reverse("dataset-detail", args=[made.pk]),
        reverse("conversation-detail", args=[made.pk, row.pk]),
    ):
        page = curator.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>Odd" not in page


def test_freezing_by_the_form_orders_a_version(dataset, curator, redis_server):
    answer = curator.post(reverse("version-list", args=[dataset.pk]), {"choice": "kept"})
    version = Version.objects.get()
    assert answer["Location"] == reverse("version-detail", args=[version.pk])
    assert version.state == "queued"
    freezing.freeze(version.pk)
    page = curator.get(answer["Location"]).content.decode()
    assert "Train on this version" not in page  # a curator may not train
    assert "quality score" in page.lower()


@pytest.mark.checklist(169, 209)
def test_a_version_downloads_as_messages_and_as_pairs(dataset, curator, cora):
    version = freezing.freeze_version(dataset, user=cora)
    lines = curator.get(reverse("version-download", args=[version.pk, "messages"]))
    rows = [json.loads(line) for line in b"".join(lines.streaming_content).splitlines()]
    assert len(rows) == 30
    assert rows[0]["messages"][0]["role"] == "user"
    pairs = curator.get(reverse("version-download", args=[version.pk, "pairs"]))
    found = json.loads(b"".join(pairs.streaming_content))
    assert set(found[0]) == {"input", "output"}


def test_a_version_tells_rows_left_out_from_rows_that_came_since(dataset, curator, cora):
    version = freezing.freeze_version(dataset, user=cora)
    address = reverse("version-detail", args=[version.pk])
    left_out = "2 rows of the dataset do not stand in it: left out when it was frozen"
    assert f"{left_out}." in " ".join(curator.get(address).content.decode().split())
    told = [pair(f"Is garden {n} open?", f"Yes, garden {n} is open all day.") for n in range(33)]
    add(dataset, told)  # the keys of all but the last are there already
    Dataset.objects.update(changes=F("changes") + 1)  # as whoever writes rows says
    page = " ".join(curator.get(address).content.decode().split())
    assert "3 rows of the dataset do not stand in it" in page
    assert "frozen, or new or edited since." in page


def test_an_invalid_threshold_is_refused_beside_its_field(dataset, curator):
    answer = curator.post(
        reverse("dataset-rules", args=[dataset.pk]),
        {"too_short-severity": "E", "too_short-words": "-1"},
    )
    assert answer.status_code == 422
    assert Dataset.objects.get(pk=dataset.pk).policy == {}


def test_a_taken_name_is_refused(dataset, curator, cora):
    create_dataset("Other", by=cora)
    answer = curator.post(reverse("dataset-settings", args=[dataset.pk]), {"name": "Other"})
    assert answer.status_code == 422
    assert "another dataset called" in answer.content.decode()


@pytest.mark.checklist(163)
def test_fifty_identical_conversations_are_reported_and_can_be_excluded(cora, curator):
    made = create_dataset("Twins", by=cora)
    add(made, [pair("Are you open?", "We are open from nine to five.")] * 50)
    page = curator.get(reverse("version-list", args=[made.pk])).content.decode()
    assert "49 conversations are copies" in page
    address = reverse("rows-decide", args=[made.pk]) + "?copies=1"
    body = {"decision": "exclude", "scope": "matching", "previewed": "49"}
    assert curator.post(address, body).status_code == 302
    assert made.conversations.filter(status="kept").count() == 1


def test_a_call_shows_the_answer_to_the_question_not_the_greeting(cora, curator):
    made = create_dataset("Calls", by=cora)
    call = Conversation(
        (
            Turn("assistant", "Contoso, how may I help you?"),
            Turn("user", "My badge does not open the door."),
            Turn("assistant", "Please go to the front desk for a new badge."),
        )
    )
    add(made, [call])
    page = curator.get(reverse("dataset-detail", args=[made.pk])).content.decode()
    assert "front desk" in page
    assert "how may I help" not in page


@pytest.mark.slow
def test_copies_count_in_the_verdict_until_they_are_excluded(cora, curator):
    made = create_dataset("Twins", by=cora)
    talks = [pair(f"Is desk {n} open?", f"Desk {n} is open from nine to five.") for n in range(9)]
    add(made, talks * 3)
    address = reverse("dataset-detail", args=[made.pk])
    page = curator.get(address)
    assert (page.context["score"].band, page.context["score"].copies.number) == ("warning", 18)
    assert "18 of 27 rows are copies" in page.content.decode()
    assert page.content.decode().count(">copy</span>") == 18
    assert 'copies <span class="number">18</span>' in page.content.decode()
    version = freezing.freeze_version(made, user=cora)
    assert version.counts["copies"] == 18
    shown = curator.get(reverse("version-detail", args=[version.pk])).content.decode()
    assert "18 of 27 rows are copies" in shown
    body = {"decision": "exclude", "scope": "matching", "previewed": "18"}
    curator.post(reverse("rows-decide", args=[made.pk]) + "?copies=1", body)
    page = curator.get(address)
    assert (page.context["score"].band, page.context["score"].copies.number) == ("good", 0)


def test_the_address_of_a_form_has_a_page_that_says_so(dataset, curator):
    answer = curator.get(reverse("dataset-delete", args=[dataset.pk]))
    assert answer.status_code == 405
    assert "takes what a form sends" in answer.content.decode()
    fragment = curator.get(reverse("dataset-delete", args=[dataset.pk]), headers=HTMX)
    assert fragment.content == b""


@pytest.mark.checklist(170)
def test_good_and_bad_data_stand_side_by_side(client_of, cora, mia):
    address = reverse("quality-samples")
    page = client_of(cora).get(address)
    good, bad = page.context["samples"]
    assert (good.percent, good.band, bad.percent, bad.band) == (100, "good", 0, "critical")
    text = page.content.decode()
    for one in [*good.pairs, *bad.pairs]:
        assert bool(one.findings) is (one in bad.pairs)
    assert text.count("nothing to object to") == len(good.pairs) == 8
    assert address in client_of(cora).get(reverse("dataset-list")).content.decode()
    assert client_of(mia).get(address).status_code == 403
