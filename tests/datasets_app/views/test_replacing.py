"""Search and replace: what is shown is what happens, others' work is left, and all comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.cleaning import PROFILES, Cleaning
from datasets_app.corpus.conversation import Conversation, Turn, from_json
from datasets_app.jobs import replacing as jobs
from datasets_app.models import Action, Replacement, ReplacementPart
from datasets_app.services import curation, editing, replacing
from datasets_app.services.datasets import create_dataset
from datasets_app.services.editing import Seen
from datasets_app.sweeps import forget_looks
from tests.datasets_app.makers import add, pair

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset(cora):
    made = create_dataset("Colours", by=cora)
    answers = [f"The colour of number {n} is a warm red, said Mr Colour." for n in range(60)]
    talks = [pair(f"What is number {n}?", answer) for n, answer in enumerate(answers)]
    add(made, [*talks, pair("Is it grey?", "It is."), Conversation((Turn("text", "colour"),))])
    return made


def looked(client, dataset, query="", **fields):
    """Look for words as the form does; return the order."""
    address = reverse("words-replace", args=[dataset.pk]) + query
    body = {"find": "colour", "put": "color", "side": "both", "is_cased": "on", **fields}
    answer = client.post(address, body)
    assert answer.status_code == 302, answer.context["form"].errors
    return Replacement.objects.latest("pk")


def page_of(client, order):
    return client.get(reverse("replacement-detail", args=[order.dataset_id, order.pk]))


def carry_out(client, order, *, without=()):
    shown = [one.row.pk for one in page_of(client, order).context["shown"]]
    ticked = [pk for pk in shown if pk not in without]
    address = reverse("replacement-detail", args=[order.dataset_id, order.pk])
    answer = client.post(address, {"do": "replace", "row": ticked, "shown": shown}, follow=True)
    order.refresh_from_db()
    return " ".join(answer.content.decode().split())


def texts(dataset):
    return dict(dataset.conversations.values_list("pk", "text"))


def test_the_preview_is_the_result_and_one_click_takes_it_back(client_of, cora, theo, dataset):
    curator, before = client_of(cora), texts(dataset)
    order = looked(curator, dataset)
    page = page_of(curator, order)
    assert (order.n_rows, order.n_places, order.n_left) == (61, 61, 0)
    assert len(page.context["shown"]) == 50
    told = " ".join(page.content.decode().split())
    assert "61 conversations would change, in 61 places" in told
    assert "<del" in told
    assert "And 11 more" in told
    assert texts(dataset) == before
    unticked = page.context["shown"][3].row.pk
    told = carry_out(curator, order, without=[unticked])
    assert "“colour” replaced by “color” in 60 conversations" in told
    assert texts(dataset) == {
        pk: text if pk == unticked else text.replace("colour", "color")
        for pk, text in before.items()
    }
    action = order.action
    assert (action.previewed, action.done, action.actor) == (60, 60, cora)
    assert not ReplacementPart.objects.exists()
    again = carry_out(curator, order)  # a second click
    assert Action.objects.count() == 1
    assert "60 conversations" in again
    undo = reverse("action-undo", args=[dataset.pk, action.pk])
    told = client_of(theo).post(undo, follow=True).content.decode()
    assert "60 conversations are as before" in told
    assert texts(dataset) == before
    assert "60 of 60 conversations are as" in " ".join(
        page_of(curator, order).content.decode().split()
    )


def test_what_others_changed_since_is_skipped_and_named(client_of, cora, theo, dataset):
    order = looked(client_of(cora), dataset)
    rows = dataset.conversations.order_by("position")
    mine, gone = rows[5], rows[7]
    theirs = pair("What is it?", "The colour is Theo's own word.")
    editing.edit_row(dataset, Seen(mine.pk, 1), theirs, by=theo)
    ids = [mine.pk, gone.pk]
    gone.delete()
    page = page_of(client_of(cora), order)
    assert [one.is_changed_since for one in page.context["shown"]].count(True) == 1
    told = carry_out(client_of(cora), order)
    assert "2 were changed or removed by others since" in told
    assert f"conversation {mine.position}</a>" in told
    assert (order.action.done, order.n_skipped, order.skipped) == (59, 2, ids)
    mine.refresh_from_db()
    assert from_json(mine.turns) == theirs


def test_only_what_matches_the_filter_is_looked_through_and_judged_anew(client_of, cora, dataset):
    curator = client_of(cora)
    rows = dataset.conversations.order_by("position")
    curation.decide_rows(dataset, [rows[0].pk, rows[1].pk], curation.Decision.EXCLUDE, by=cora)
    answer = "The colour of number 2 is a warm red, said Mr Colour."
    order = looked(curator, dataset, "?status=kept&q=%22number+2%22", find=answer, put="")
    told = " ".join(page_of(curator, order).content.decode().split())
    assert "match the filter" in told
    assert order.n_rows == 1
    assert "removed in 1 conversation" in carry_out(curator, order)
    row = dataset.conversations.get(position=3)
    assert (row.status, "empty" in row.reasons) == ("excluded", True)


def test_of_nothing_a_conversation_is_left_without_words(client_of, cora, dataset):
    order = looked(client_of(cora), dataset, put="", is_word="on")
    assert (order.n_rows, order.n_left) == (60, 1)
    assert "1 more say" in page_of(client_of(cora), order).content.decode()
    nowhere = looked(client_of(cora), dataset, find="zebra")
    assert "These words are nowhere" in page_of(client_of(cora), nowhere).content.decode()


def test_many_are_replaced_and_undone_by_a_worker_and_can_be_stopped(
    client_of, cora, theo, dataset, monkeypatch
):
    monkeypatch.setattr(replacing, "AT_ONCE", 20)
    monkeypatch.setattr(replacing, "PART", 10)
    before, curator = texts(dataset), client_of(cora)
    order = looked(curator, dataset)
    assert "Replacing: 0 of 61" in carry_out(curator, order)
    monkeypatch.setattr(jobs, "TURN_SECONDS", -1.0)
    jobs.replace_words(order.pk, seconds=-1.0)  # one part, then others may have the worker
    told = " ".join(page_of(curator, order).content.decode().split())
    assert "Replacing: 10 of 61" in told
    refused = client_of(theo).post(reverse("action-undo", args=[dataset.pk, order.action_id]))
    assert refused.status_code == 422
    address = reverse("replacement-detail", args=[dataset.pk, order.pk])
    told = curator.post(address, {"do": "stop"}, follow=True).content.decode()
    assert "in 10 conversations; the others are as they were" in told
    second = looked(curator, dataset)
    assert second.n_rows == 51
    carry_out(curator, second)
    jobs.replace_words(second.pk)
    second.refresh_from_db()
    assert (second.state, second.action.done) == ("succeeded", 51)
    undo = reverse("action-undo", args=[dataset.pk, second.action_id])
    answer = client_of(theo).post(undo, headers=HTMX)
    assert answer["HX-Redirect"] == reverse("replacement-detail", args=[dataset.pk, second.pk])
    assert "Undoing: 0 of 51" in page_of(curator, second).content.decode()
    jobs.replace_words(second.pk)
    assert "51 of 51 conversations" in page_of(curator, second).content.decode()
    curation.undo(order.action, by=theo)
    assert texts(dataset) == before


def test_who_may_not_curate_may_not_replace(client_of, mia, cora, dataset):
    order = looked(client_of(cora), dataset)
    for address in (
        reverse("words-replace", args=[dataset.pk]),
        reverse("replacement-detail", args=[dataset.pk, order.pk]),
    ):
        assert client_of(mia).get(address).status_code == 403
        assert client_of(mia).post(address).status_code == 403


@pytest.mark.parametrize(
    "fields", [{"find": ""}, {"find": "x" * 501}, {"side": "moon"}, {"find": "a", "put": "a"}]
)
def test_what_cannot_be_looked_for_is_said_beside_the_fields(fields, client_of, cora, dataset):
    body = {"find": "colour", "put": "color", "side": "both", **fields}
    answer = client_of(cora).post(reverse("words-replace", args=[dataset.pk]), body)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()


def test_a_look_is_forgotten_after_a_day(client_of, cora, dataset):
    order, done = looked(client_of(cora), dataset), looked(client_of(cora), dataset)
    carry_out(client_of(cora), done)
    old = timezone.now() - timedelta(days=2)
    Replacement.objects.update(finished_at=old)
    forget_looks(timezone.now())
    assert list(Replacement.objects.all()) == [done]
    assert not Replacement.objects.filter(pk=order.pk).exists()


@pytest.fixture
def letters(cora):
    made = create_dataset("Letters", by=cora)
    rows = [
        pair("Dear team,\nwhere is my parcel?", "It is on its way.\n\nKind regards,\nAnna"),
        pair("Where is CafÃ© Nord?", "In the old town, behind the church."),
        pair("When do you open?", "We open at nine every day."),
    ]
    add(made, rows)
    return made


def cleaned(client, dataset, *switches, query=""):
    at = reverse("words-clean", args=[dataset.pk])
    answer = client.post(f"{at}{query}", {"switches": switches})
    assert answer.status_code == 302
    return dataset.replacements.latest("pk")


@pytest.mark.checklist(69)
def test_cleaning_is_counted_shown_done_and_taken_back(client_of, cora, letters):
    client, before = client_of(cora), texts(letters)
    order = cleaned(client, letters, "mojibake", "greeting", "closing", "markup")
    assert (order.n_rows, order.n_places) == (2, 3)
    tallies = order.tallies
    assert tallies["before"] > tallies["after"]
    assert {name: tallies.get(name, 0) for name in order.wanted["switches"]} == {
        "mojibake": 1,
        "greeting": 1,
        "closing": 1,
        "markup": 0,
    }
    shown = page_of(client, order).content.decode()
    assert "Left-overs of HTML" in shown
    assert "<del" in shown
    assert Cleaning(PROFILES["chat"]).cleaned("one\ntwo\x07  \n\nthree")[0] == "one\ntwo\n\nthree"
    assert "Clean these 2" in " ".join(shown.split())
    assert texts(letters) == before
    carry_out(client, order)
    now = texts(letters)
    assert any("Café Nord" in text for text in now.values())
    assert not any("Dear team" in text or "regards" in text for text in now.values())
    order.refresh_from_db()
    assert order.action.title.startswith("Cleaned in 2 conversations")
    client.post(reverse("action-undo", args=[letters.pk, order.action.pk]))
    assert texts(letters) == before


def test_the_form_of_cleaning_knows_profiles_and_what_was_chosen_before(
    client_of, cora, mia, letters
):
    client, at = client_of(cora), reverse("words-clean", args=[letters.pk])
    chosen = client.get(f"{at}?profile=mail").content.decode()
    assert chosen.count(" checked") == 7
    cleaned(client, letters, "spaces")
    assert client.get(at).content.decode().count(" checked") == 1
    earlier = cleaned(client, letters, "markup", "mojibake")
    cleaned(client, letters, "spaces")
    again = client.get(f"{at}?again={earlier.pk}&").context["form"]
    assert set(again.initial["switches"]) == {"markup", "mojibake"}
    assert client.get(f"{at}?again=zero&").content.decode().count(" checked") == 1
    assert looked(client, letters, find="open", put="shut").tallies == {}
    assert client.get(f"{at}?profile=<script>").status_code == 200
    assert client.post(at, {"switches": ["unknown"]}).status_code == 422
    assert b"Choose at least one" in client.post(at, {}).content
    assert client_of(mia).get(at).status_code == 403
    assert at in client.get(reverse("dataset-detail", args=[letters.pk])).content.decode()
