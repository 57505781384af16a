"""The chat pages: each view's ladder, and what they say."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from chat_app.models import Chat, Deployment, Generation, LogEntry, Message
from chat_app.services import chats, deployments
from chat_app.services.chats import AnswerParams
from otto_web.lib.work.states import State
from tests.chat_app.makers import ENDED, add_chat, make_served
from tests.page_text import page_text
from tests.training_app.conftest import make_version
from training_app.models import EvalSample, Evaluation

HTMX = {"HTTP_HX_REQUEST": "true"}
POSTS = ["chat-ask", "chat-stop", "chat-settings", "chat-logging", "chat-rename", "chat-delete"]
SETTINGS = {"temperature": "0.2", "top_k": "40", "top_p": "0.8", "new_tokens": "30", "seed": "7"}


@pytest.fixture
def served(db):
    return make_served()


@pytest.fixture
def answered(served, mia):
    """A chat of mia with one finished answer."""
    return add_chat(served, mia, [("How do I reset my badge?", "Go to the front desk.")])


def pair(chat):
    return chat.messages.get(role="user"), chat.messages.get(role="assistant")


def message(text="Hello there"):
    return {"text": text, "idem": str(uuid4())}


@pytest.mark.slow
def test_one_sees_ones_own_chats_as_page_and_as_fragment(answered, mia, milo, client_of):
    url = reverse("chat-list")
    whole, part = client_of(mia).get(url), client_of(mia).get(url, **HTMX)
    assert (b"<html" in whole.content, b"<html" in part.content) == (True, False)
    assert "How do I reset my badge?" in part.content.decode()
    assert "How do I reset my badge?" not in client_of(milo).get(url).content.decode()


@pytest.mark.checklist(210)
def test_a_chat_shows_the_same_after_a_reload(answered, mia, client_of):
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert "How do I reset my badge?" in page
    assert "Go to the front desk." in page
    assert "22 tok/s" in page
    assert "first 45 ms" in page
    assert "Answers in the style of its data; do not rely on facts." in page


@pytest.mark.parametrize("name", ["chat-detail", *POSTS])
def test_other_peoples_chats_are_not_there(name, answered, milo, ada, client, client_of):
    url = reverse(name, args=[answered.pk])
    for stranger in (milo, ada):
        send = client_of(stranger).get if name == "chat-detail" else client_of(stranger).post
        assert send(url).status_code == 404
    assert client.post(url).status_code == 302
    assert Chat.objects.filter(pk=answered.pk).exists()


@pytest.mark.parametrize("name", ["exchange-detail", "answer-rate"])
def test_other_peoples_answers_are_not_there(name, answered, milo, client_of):
    url = reverse(name, args=[answered.pk, pair(answered)[1].pk])
    client = client_of(milo)
    send = client.get if name == "exchange-detail" else client.post
    assert send(url, {"rating": "up"}).status_code == 404


def test_someone_without_a_role_is_refused(served, mia, client_of):
    mia.groups.clear()
    assert client_of(mia).get(reverse("chat-list")).status_code == 403


@pytest.mark.parametrize("name", POSTS)
def test_changes_are_no_links(name, answered, mia, client_of):
    assert client_of(mia).get(reverse(name, args=[answered.pk])).status_code == 405


def test_a_question_is_committed_by_both_doors_and_once_per_key(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    url, body = reverse("chat-ask", args=[chat.pk]), message()
    part = client_of(mia).post(url, body, **HTMX)
    again = client_of(mia).post(url, body)
    assert (part.status_code, again.status_code) == (200, 302)
    assert b'data-behaviour="chat_stream"' in part.content
    assert b"queued" in part.content
    assert chat.messages.count() == 2


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
def test_a_question_that_cannot_be_sent_is_kept_with_the_reason(text, served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    url = reverse("chat-ask", args=[chat.pk])
    for headers in ({}, HTMX):
        answer = client_of(mia).post(url, message(text), **headers)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
    assert answer["HX-Retarget"] == "#composer"
    assert not chat.messages.exists()


def test_a_second_question_waits_and_stays_in_the_field(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    url = reverse("chat-ask", args=[chat.pk])
    client_of(mia).post(url, message("First"))
    answer = client_of(mia).post(url, message("Second"), **HTMX)
    assert answer.status_code == 422
    assert "still being written" in answer.content.decode()
    assert ">Second</textarea>" in answer.content.decode()


def test_an_open_answer_reloads_itself_where_there_are_no_scripts(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    client_of(mia).post(reverse("chat-ask", args=[chat.pk]), message())
    page = client_of(mia).get(reverse("chat-detail", args=[chat.pk])).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert "The engine is not running" in page


def test_a_new_chat_begins_with_its_first_question(served, mia, client_of):
    body = {"deployment": served.pk, "text": "Where is my parcel?"}
    answer = client_of(mia).post(reverse("chat-new"), body)
    chat = Chat.objects.get(owner=mia)
    assert answer.url == reverse("chat-detail", args=[chat.pk])
    assert chat.messages.get(role="user").text == "Where is my parcel?"


def test_a_retired_deployment_takes_no_new_chat(served, mia, theo, client_of):
    deployments.retire(served, by=theo)
    body = {"deployment": served.pk, "text": "Where is my parcel?"}
    answer = client_of(mia).post(reverse("chat-new"), body)
    assert answer.status_code == 422
    assert "does not answer any more" in answer.content.decode()
    assert ">Where is my parcel?</textarea>" in answer.content.decode()
    assert not Chat.objects.exists()


def test_a_first_question_that_is_too_long_stays_whole_beside_the_limit(served, mia, client_of):
    text = "x" * (chats.LONGEST_MESSAGE + 1)
    client, body = client_of(mia), {"deployment": served.pk, "text": text}
    answer = client.post(reverse("chat-new"), body)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The message has 20,001 characters; 20,000 are allowed." in page
    assert f">{text}</textarea>" in page
    assert not Chat.objects.exists()
    chat = chats.open_chat(served, owner=mia)
    answer = client.post(reverse("chat-ask", args=[chat.pk]), message(text))
    assert "The message has 20,001 characters; 20,000 are allowed." in answer.content.decode()


def test_no_box_for_a_text_cuts_what_is_pasted(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    for address in (reverse("chat-list"), reverse("chat-detail", args=[chat.pk])):
        page = client_of(mia).get(address).content.decode()
        assert not re.search("<textarea[^>]* maxlength", page)
    settings = {"temperature": 1, "top_p": 1, "top_k": 0, "new_tokens": 9, "system": "x" * 4001}
    answer = client_of(mia).post(reverse("chat-settings", args=[chat.pk]), settings)
    assert "at most 4000 characters (it has 4001)" in answer.content.decode()
    assert f"{'x' * 4001}</textarea>" in answer.content.decode()


def test_without_a_deployment_the_list_says_who_can_help(db, mia, theo, client_of):
    url = reverse("chat-list")
    assert "A trainer can deploy one" in client_of(mia).get(url).content.decode()
    assert reverse("deployment-new") in client_of(theo).get(url).content.decode()


@pytest.mark.slow
def test_an_empty_chat_offers_what_was_answered_right_and_released(served, mia, theo, client_of):
    evaluation = Evaluation.objects.create(
        model=served.model, version=make_version(6), split="validation", tokens=1, bytes=1, loss=1,
        perplexity=1, bits_per_byte=1,
    )  # fmt: skip
    told = {"Is my order late?": "It comes on day 5.", "x" * 500: "No.", "Can I pay twice?": "Yes."}
    for number, (prompt, reply) in enumerate(told.items()):
        real = "It comes on day 5." if number < 2 else "You cannot."
        EvalSample.objects.create(
            evaluation=evaluation, prompt_no=number, prompt=prompt, reply=reply, reference=real
        )
    url = reverse("chat-detail", args=[chats.open_chat(served, owner=mia).pk])
    pages = [client_of(mia).get(one).content.decode() for one in (url, reverse("chat-list"))]
    assert not [page for page in pages if "Is my order late?" in page]  # mia may not read rows
    release = reverse("deployment-starters", args=[served.pk])
    assert client_of(mia).post(release).status_code == 403
    client_of(theo).post(release, {"question": ["Is my order late?", "Can I pay twice?", "Else?"]})
    served.refresh_from_db()
    assert served.starters == ["Is my order late?"]
    assert client_of(mia).get(url).context["starters"] == ["Is my order late?"]
    EvalSample.objects.filter(prompt_no=0).update(reply="It comes on day 6.")
    assert client_of(mia).get(url).context["starters"] == []


@pytest.mark.checklist(206, 207)
def test_settings_are_kept_on_the_chat_and_used_by_the_next_question(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    url = reverse("chat-settings", args=[chat.pk])
    part = client_of(mia).post(url, SETTINGS | {"system": "Be kind."}, **HTMX)
    assert "30–50 for short answers, 100–200 for long ones" in part.content.decode()
    client_of(mia).post(reverse("chat-ask", args=[chat.pk]), message())
    row = Generation.objects.get()
    chosen = {"temperature": 0.2, "top_k": 40, "top_p": 0.8, "new_tokens": 30, "seed": 7}
    assert row.params.items() >= chosen.items()
    assert row.seed == 7
    assert Chat.objects.get().system == "Be kind."


@pytest.mark.parametrize(
    "wrong", [{"temperature": "99"}, {"new_tokens": "0"}, {"top_p": "nan"}, {"seed": "-1"}]
)
def test_a_setting_out_of_range_is_refused_with_a_sentence(wrong, answered, mia, client_of):
    url = reverse("chat-settings", args=[answered.pk])
    for headers in ({}, HTMX):
        answer = client_of(mia).post(url, SETTINGS | wrong, **headers)
        assert answer.status_code == 422
        assert "errorlist" in answer.content.decode()


def test_a_thumb_can_be_changed_and_taken_back(answered, mia, client_of):
    answer = pair(answered)[1]
    url = reverse("answer-rate", args=[answered.pk, answer.pk])
    client_of(mia).post(url, {"rating": "up"})
    part = client_of(mia).post(url, {"rating": "down"}, **HTMX)
    assert answer.ratings.get().value == -1
    assert 'value="none" aria-pressed="true"' in page_text(part)
    client_of(mia).post(url, {"rating": "none"})
    assert not answer.ratings.exists()
    assert client_of(mia).post(url, {"rating": "maybe"}).status_code == 422


def test_stop_is_a_form_too(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    asked = chats.ask(chat, "Hello", AnswerParams(), idem=uuid4())
    assert client_of(mia).post(reverse("chat-stop", args=[chat.pk]), **HTMX).status_code == 204
    asked.generation.refresh_from_db()
    assert asked.generation.stop_requested_at is not None


@pytest.mark.checklist(208)
def test_the_author_reads_of_the_log_and_takes_the_chat_out(answered, mia, client_of):
    answer = pair(answered)[1]
    LogEntry.objects.create(
        message=answer, deployment=answered.deployment, model=answered.deployment.model
    )
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert "Curators can read the questions and answers of this chat, without your name." in page
    url = reverse("chat-logging", args=[answered.pk])
    part = client_of(mia).post(url, {"logged": "0"}, **HTMX)
    assert "This chat is not logged" in part.content.decode()
    assert not LogEntry.objects.exists()
    Deployment.objects.update(is_logging=False)
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert "This deployment does not log" in page


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        (State.CANCELLED, {"finish": "stopped"}, "stopped"),
        (State.INTERRUPTED, {"finish": "interrupted"}, "Ask again"),
        (State.FAILED, {"message": "The model file is broken."}, "file is broken"),
        (State.SUCCEEDED, {"dropped_turns": 2}, "2 oldest turns were left out"),
        (State.SUCCEEDED, {"finish": "length"}, "ended at the longest length"),
    ],
)
def test_an_answer_says_how_it_ended(state, changes, words, answered, mia, client_of):
    Generation.objects.update(state=state, **ENDED, **changes)
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert words in page


def test_a_model_never_writes_markup(answered, mia, client_of):
    Message.objects.filter(role="assistant").update(text="<script>alert(1)</script>\x07")
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␇" in page


@pytest.mark.slow
def test_chats_are_found_by_title_and_by_words_renamed_and_deleted(answered, mia, client_of):
    client = client_of(mia)
    client.post(reverse("chat-rename", args=[answered.pk]), {"title": "Badges"})
    for words in ("badge", "front desk", "desk GO"):
        assert b"Badges" in client.get(reverse("chat-list"), {"q": words}, **HTMX).content
    assert b"None of your chats" in client.get(reverse("chat-list"), {"q": "zebra"}).content
    client.post(reverse("chat-rename", args=[answered.pk]), {"title": "  "})
    assert Chat.objects.get().title == "Badges"
    page = client.post(reverse("chat-delete", args=[answered.pk]), follow=True)
    assert "“Badges” is deleted" in page.content.decode()
    assert not Message.objects.exists()


def test_the_dialog_names_what_goes(answered, mia, client_of):
    page = page_text(client_of(mia).get(reverse("chat-detail", args=[answered.pk])))
    assert "1 question with its answer" in page


@pytest.mark.slow
def test_a_long_chat_costs_no_more_queries(served, mia, client_of, django_assert_max_num_queries):
    client = client_of(mia)
    for length in (1, 12):
        chat = add_chat(served, mia, [("How?", "So.")] * length)
        with django_assert_max_num_queries(9):
            client.get(reverse("chat-detail", args=[chat.pk]))
        with django_assert_max_num_queries(6):
            client.get(reverse("chat-list"))


def test_the_heading_of_a_fresh_chat_follows_its_first_question(served, mia, client_of):
    chat = chats.open_chat(served, owner=mia)
    client, url = client_of(mia), reverse("chat-ask", args=[chat.pk])
    page = page_text(client.get(reverse("chat-detail", args=[chat.pk])))
    assert '<h1> <bdi id="chat-name">New chat</bdi>' in page
    assert page.count('id="chat-name"') == 1
    part = client.post(url, message("Where is my order?"), **HTMX).content.decode()
    assert '<bdi id="chat-name" hx-swap-oob="true">Where is my order?</bdi>' in part


def test_the_deployment_that_was_asked_for_is_chosen(served, mia, client_of):
    Deployment.objects.create(alias="another", model=served.model, export=served.export)
    page = page_text(client_of(mia).get(reverse("chat-list"), {"deployment": "support"}))
    assert 'value="support" checked' in page
