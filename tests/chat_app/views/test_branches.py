"""Branches of a chat: what the pages offer, who may, and what is shown."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from chat_app.models import Chat, Generation, Message
from chat_app.services import branches
from otto_web.lib.work.states import State
from tests.chat_app.makers import ENDED, add_chat, make_served
from tests.page_text import page_text

HTMX = {"HTTP_HX_REQUEST": "true"}
TALK = [("How do I reset my badge?", "At the desk."), ("When?", "From nine.")]
ON_ANSWERS = ["answer-again", "answer-continue", "branch-show"]


@pytest.fixture
def served(db, redis_server):
    return make_served()


@pytest.fixture
def chat(served, mia):
    return add_chat(served, mia, TALK)


def answers(chat):
    return list(chat.messages.filter(role="assistant").order_by("created_at"))


def questions(chat):
    return list(chat.messages.filter(role="user").order_by("created_at"))


def key(**more):
    return {"idem": str(uuid4()), **more}


def end(text="Other words."):
    """Let the answer under way end with these words."""
    row = Generation.objects.get(state="queued")
    Message.objects.filter(pk=row.answer_id).update(text=text)
    Generation.objects.filter(pk=row.pk).update(state=State.SUCCEEDED, finish="stop", **ENDED)
    return row.answer


def page(client, chat):
    return page_text(client.get(reverse("chat-detail", args=[chat.pk])))


def test_a_chat_from_before_shows_all_its_messages(chat, mia, client_of):
    assert chat.shown is None
    shown = page(client_of(mia), chat)
    assert all(words in shown for pair in TALK for words in pair)
    assert "1/2" not in shown


def test_another_answer_stands_beside_the_first_and_one_switches(chat, mia, client_of):
    client, last = client_of(mia), answers(chat)[-1]
    url = reverse("answer-again", args=[chat.pk, last.pk])
    part = client.post(url, key(), **HTMX)
    assert part.content.decode().lstrip().startswith('<div id="transcript"')
    made = end()
    shown = page(client, chat)
    assert ("Other words." in shown, "From nine." in shown, "2/2" in shown) == (True, False, True)
    back = reverse("branch-show", args=[chat.pk, last.pk])
    assert client.post(back).url == reverse("chat-detail", args=[chat.pk])
    shown = page(client, chat)
    assert ("Other words." in shown, "From nine." in shown, "1/2" in shown) == (False, True, True)
    assert f"messages/{made.pk}/show/" in client.get(reverse("chat-detail", args=[chat.pk])).text


def test_an_edited_question_begins_a_branch_and_the_old_one_stays(chat, mia, client_of):
    client, first = client_of(mia), questions(chat)[0]
    url = reverse("question-edit", args=[chat.pk, first.pk])
    assert client.post(url, key(text="Where is the desk?"), **HTMX).status_code == 200
    end("On the left.")
    shown = page(client, chat)
    assert "Where is the desk?" in shown
    assert "When?" not in shown  # it followed the other question
    chat.refresh_from_db()
    branches.show_branch(chat, first)
    assert "When?" in page(client, chat)
    assert chat.title == TALK[0][0]


def test_a_question_follows_what_its_asker_saw_though_another_branch_is_shown(chat, mia, client_of):
    client, first = client_of(mia), answers(chat)[0]
    url = reverse("chat-ask", args=[chat.pk])
    assert client.post(url, key(text="And where?", after=str(first.pk))).status_code == 302
    end("On the left.")
    asked = chat.messages.get(text="And where?")
    assert asked.parent == first
    shown = page(client, chat)
    assert ("On the left." in shown, "From nine." in shown) == (True, False)
    last = answers(chat)[-1].pk
    html = client.get(reverse("chat-detail", args=[chat.pk])).content.decode()
    assert f'name="after" value="{last}"' in html
    for other in (asked.pk, uuid4()):  # a question, and what is in no chat
        refused = client.post(url, key(text="Who?", after=str(other)), **HTMX)
        assert (refused.status_code, "Reload it" in refused.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("state", "changes", "offered"),
    [
        (State.SUCCEEDED, {"finish": "length"}, True),
        (State.CANCELLED, {"finish": "stopped"}, True),
        (State.INTERRUPTED, {"finish": "interrupted"}, True),
        (State.SUCCEEDED, {"finish": "stop"}, False),
        (State.FAILED, {"finish": "failed"}, False),
    ],
)
def test_what_ended_too_early_can_be_gone_on_with(state, changes, offered, chat, mia, client_of):
    Generation.objects.update(state=state, **ENDED, **changes)
    assert ("Continue" in page(client_of(mia), chat)) == offered
    url = reverse("answer-continue", args=[chat.pk, answers(chat)[-1].pk])
    answer = client_of(mia).post(url, key(), **HTMX)
    assert answer.status_code == (200 if offered else 422)
    assert Generation.objects.filter(continues__isnull=False).exists() == offered


def test_one_answer_at_a_time_is_written(chat, mia, client_of):
    url = reverse("answer-again", args=[chat.pk, answers(chat)[-1].pk])
    body = key()
    assert client_of(mia).post(url, body).status_code == 302
    assert client_of(mia).post(url, body).status_code == 302  # the same key: the same answer
    refused = client_of(mia).post(url, key(), **HTMX)
    assert refused.status_code == 422
    assert "still being written" in refused.content.decode()
    assert refused["HX-Retarget"] == "#composer"
    assert chat.messages.count() == 5


def test_a_request_without_its_key_or_words_says_so(chat, mia, client_of):
    for name, message in [
        ("answer-again", answers(chat)[0]),
        ("question-edit", questions(chat)[0]),
    ]:
        answer = client_of(mia).post(reverse(name, args=[chat.pk, message.pk]), {"text": "  "})
        assert answer.status_code == 422
    assert chat.messages.count() == 4


def test_what_the_model_read_is_shown_sign_by_sign(chat, mia, client_of):
    url = reverse("answer-read", args=[chat.pk, answers(chat)[0].pk])
    assert "No model read anything" in page_text(client_of(mia).get(url))
    Generation.objects.update(prompt_text="<|user|>\nHow?\u202e<|end|>", prompt_ids=[1, 2, 3])
    shown = page_text(client_of(mia).get(url))
    assert "&lt;|user|&gt;" in shown
    assert "How?[U+202E]" in shown
    assert "3 tokens" in shown


@pytest.mark.parametrize("name", [*ON_ANSWERS, "answer-read", "question-edit", "chat-transcript"])
def test_strangers_find_nothing_and_links_change_nothing(name, chat, mia, milo, client, client_of):
    message = (questions if name == "question-edit" else answers)(chat)[0]
    keys = [chat.pk] if name == "chat-transcript" else [chat.pk, message.pk]
    url, reads = reverse(name, args=keys), name in {"answer-read", "chat-transcript"}
    stranger = client_of(milo)
    assert (stranger.get if reads else stranger.post)(url, key(text="x")).status_code == 404
    assert (client.get if reads else client.post)(url).status_code == 302  # to sign in
    wrong = client_of(mia).post if reads else client_of(mia).get
    assert wrong(url).status_code == 405
    assert Chat.objects.get().shown is None


def test_the_messages_alone_come_for_htmx_and_the_page_otherwise(chat, mia, client_of):
    url = reverse("chat-transcript", args=[chat.pk])
    assert b"From nine." in client_of(mia).get(url, **HTMX).content
    assert client_of(mia).get(url).url == reverse("chat-detail", args=[chat.pk])


def test_a_retired_deployment_offers_nothing_more(chat, served, mia, client_of):
    served.is_active = False
    served.save()
    html = client_of(mia).get(reverse("chat-detail", args=[chat.pk])).content.decode()
    assert "answer-again" not in html
    assert "/edit/" not in html
