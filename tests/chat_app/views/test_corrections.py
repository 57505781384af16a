"""Correcting an answer in its place: judged at once, kept, shown to curators."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.urls import reverse

from chat_app.models import Correction, Generation, LogEntry, Message, Rating
from chat_app.services import corrections
from chat_app.serving.errors import ServingError
from otto_web.lib.work.states import State
from tests.chat_app.makers import add_chat, make_served
from tests.chat_app.views import test_grounded
from tests.page_text import page_text

knowledge = test_grounded.knowledge  # a fixture
HTMX = {"HTTP_HX_REQUEST": "true"}
QUESTION, WRONG = "How do I reset my badge?", "Go to the cellar and show your shoe."
BETTER = "Go to the front desk and show your passport."


@pytest.fixture
def served(db, redis_server):
    return make_served()


@pytest.fixture
def chat(served, mia):
    return add_chat(served, mia, [(QUESTION, WRONG)], is_logged=True)


def answer_of(chat):
    return chat.messages.filter(role="assistant").earliest("created_at")


def url(name, chat):
    return reverse(name, args=[chat.pk, answer_of(chat).pk])


def test_a_correction_is_kept_with_all_that_it_corrects(chat, served, mia, client_of):
    wrong = answer_of(chat)
    part = client_of(mia).post(url("answer-correct", chat), {"text": BETTER}, **HTMX)
    assert part.status_code == 200
    kept = Correction.objects.get()
    assert (kept.message, kept.author, kept.text) == (wrong, mia, BETTER)
    assert (kept.model, kept.knowledge) == (served.model, None)
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[chat.pk])))
    assert (BETTER in page, "your words" in page, "2/2" in page) == (True, True, True)
    assert Message.objects.get(pk=wrong.pk).text == WRONG
    assert LogEntry.objects.count() == 1  # of the model's answer


def test_what_was_said_after_a_corrected_answer_stays_in_sight(served, mia, client_of):
    said = [(QUESTION, WRONG), ("And when?", "At noon."), ("Where is it?", "On the left.")]
    chat = add_chat(served, mia, said, is_logged=True)
    client_of(mia).post(url("answer-correct", chat), {"text": BETTER}, **HTMX)
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[chat.pk])))
    assert (BETTER in page, WRONG in page) == (True, False)
    assert page.index(BETTER) < page.index("And when?") < page.index("On the left.")


def test_whatever_is_corrected_once_more_corrects_the_models_answer_and_the_newest_counts(
    chat, mia
):
    wrong = answer_of(chat)
    first = corrections.correct(wrong, BETTER, by=mia)
    corrections.correct(first.written, f"{BETTER} It opens at eight.", by=mia)
    corrections.correct(first.written, f"{BETTER} It opens at nine.", by=mia)
    assert {one.message for one in Correction.objects.all()} == {wrong}
    assert Correction.objects.filter(written__isnull=False).count() == 3
    assert LogEntry.objects.with_correction().get().better.endswith("at nine.")


def test_a_correction_that_is_sent_twice_is_kept_once(chat, mia, client_of):
    client, body = client_of(mia), {"text": BETTER, "idem": str(uuid4())}
    for _ in range(2):
        assert client.post(url("answer-correct", chat), body).status_code == 302
    assert Correction.objects.get().written.text == BETTER
    assert chat.messages.count() == 3
    client.post(url("answer-correct", chat), body | {"text": f"{BETTER} It opens at nine."})
    assert Correction.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (QUESTION, "Echo"),
        ("How do I reset my badge", "Echo"),
        ("   ", "nothing to send"),
        (WRONG, "what the answer says already"),
        ("x" * 20_001, "20,001 characters"),
    ],
)
def test_what_is_no_better_answer_is_refused_with_its_reason(text, reason, chat, mia, client_of):
    refused = client_of(mia).post(url("answer-correct", chat), {"text": text}, **HTMX)
    assert refused.status_code == 422
    assert reason.lower() in page_text(refused).lower()
    assert refused["HX-Retarget"] == f"#correction-{answer_of(chat).pk}"
    page = client_of(mia).post(url("answer-correct", chat), {"text": text})
    assert page.status_code == 422
    assert reason.lower() in page_text(page).lower()
    assert not Correction.objects.exists()


def test_the_difference_and_the_rules_are_shown_while_one_writes(chat, mia, client_of):
    look = client_of(mia).post(url("answer-judge", chat), {"text": BETTER}, **HTMX)
    html = look.content.decode()
    assert '<del\n  ><span class="visually-hidden">removed: </span>cellar' in html
    assert "front desk" in html
    echo = client_of(mia).post(url("answer-judge", chat), {"text": QUESTION}, **HTMX)
    assert echo.status_code == 200
    assert "It cannot be saved like this." in page_text(echo)
    assert not Correction.objects.exists()


def test_an_answer_under_way_is_not_corrected(chat, mia):
    Generation.objects.update(state=State.QUEUED, finished_at=None)
    with pytest.raises(ServingError, match="still being written"):
        corrections.correct(answer_of(chat), BETTER, by=mia)


@pytest.mark.parametrize("name", ["answer-correct", "answer-judge"])
def test_strangers_find_nothing_and_links_change_nothing(name, chat, mia, milo, client, client_of):
    address = url(name, chat)
    assert client_of(milo).post(address, {"text": BETTER}).status_code == 404
    assert client_of(mia).get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert not Correction.objects.exists()


def test_curators_see_and_filter_corrections_without_names(chat, served, mia, cora, client_of):
    add_chat(served, mia, [("When?", "From nine to five on working days.")], is_logged=True)
    corrections.correct(answer_of(chat), BETTER, by=mia)
    page = client_of(cora).get(reverse("log-list"), {"corrected": "1"})
    shown = page_text(page)
    assert "corrected" in shown
    assert "passport" in shown
    assert "From nine" not in shown
    assert "mia" not in shown
    for entry in client_of(cora).get(reverse("log-download")):
        told = json.loads(entry)
    assert sorted(told[0]) == ["input", "output", "timestamp"]


def test_a_known_answer_that_was_wrong_is_changed_by_curators(
    cora,
    client_of,
    knowledge,
    redis_server,
):
    chat = test_grounded.answered(cora, knowledge)
    corrections.correct(answer_of(chat), BETTER, by=cora)
    html = client_of(cora).get(reverse("chat-detail", args=[chat.pk])).content.decode()
    row = reverse("row-edit", args=[knowledge.version.dataset_id, 1_000_001])
    assert f'href="{row}?{urlencode({"answer": BETTER})}"' in html
    assert "came from a known answer" in html
    kept = Correction.objects.get()
    assert kept.knowledge == knowledge


def test_a_bad_answer_gets_reasons_and_a_good_one_none(chat, mia, cora, client_of):
    rate = url("answer-rate", chat)
    client = client_of(mia)
    assert "made up" not in client.post(rate, {"rating": "up"}, **HTMX).content.decode()
    down = client.post(rate, {"rating": "down"}, **HTMX).content.decode()
    for words in ("wrong", "not helpful", "made up", "other words"):
        assert words in down
    client.post(rate, {"reason": "made_up"}, **HTMX)
    client.post(rate, {"reason": "wrong"})
    assert Rating.objects.get().reasons == ["wrong", "made_up"]
    assert "wrong, made up" in page_text(client_of(cora).get(reverse("log-list")))
    client.post(rate, {"reason": "wrong"}, **HTMX)
    assert Rating.objects.get().reasons == ["made_up"]
    client.post(rate, {"rating": "up"}, **HTMX)
    assert (Rating.objects.get().value, Rating.objects.get().reasons) == (1, [])
    assert client.post(rate, {"reason": "no such"}).status_code == 422
