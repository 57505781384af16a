"""Chats for others: pinned, exported, brought in again, shared with the team and taken back."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from chat_app.forms.chats import SettingsForm
from chat_app.models import Chat, Correction, Generation, LogEntry, Message
from chat_app.selectors import transfer
from chat_app.selectors.chats import transcript
from chat_app.selectors.transfer import LARGEST, as_json
from chat_app.services import branches, chats, corrections
from chat_app.services.chat_settings import CHOSEN
from otto_web.lib.models import AuditEntry
from otto_web.loop.selectors.home import home
from tests.chat_app.makers import add_chat, make_served
from tests.chat_app.payloads import PAYLOADS
from tests.page_text import page_text

TALK = [("How do I reset my badge?", "At the **desk**."), ("When?", "From nine.")]


@pytest.fixture
def served(db, redis_server):
    return make_served()


@pytest.fixture
def chat(served, mia):
    """A chat with a branch, a correction, a rating, settings."""
    made = add_chat(served, mia, TALK)
    first = made.messages.filter(role="assistant").earliest("created_at")
    corrections.correct(first, "At the front desk, with a passport.", by=mia)
    made.messages.filter(text="When?").update(parent=first)  # asked in the branch of the old words
    chats.toggle_reason(first, "made_up", by=mia)
    branches.show_branch(made, made.messages.get(text="From nine."))
    Chat.objects.update(params={"temperature": 0.2}, system="Be brief.")
    made.refresh_from_db()
    return made


def told(client, chat, layout="json"):
    answer = client.get(reverse("chat-download", args=[chat.pk, layout]))
    body = b"".join(answer.streaming_content).decode()
    return answer, body


def chat_url(chat):
    return reverse("chat-detail", args=[chat.pk])


def stage_of_chats(person):
    return next(stage for stage in home(person).stages if stage.title == "Chat")


def bring(client, body, name="chat.json"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(reverse("chat-import"), {"file": SimpleUploadedFile(name, body)})


def test_a_chat_comes_back_from_its_file_as_it_was(chat, mia, milo, client_of):
    answer, body = told(client_of(mia), chat)
    assert "How-do-I-reset-my-badge.json" in answer["Content-Disposition"]
    brought = bring(client_of(milo), body.encode())
    copy = Chat.objects.get(owner=milo)
    assert brought.url == reverse("chat-detail", args=[copy.pk])
    assert as_json(copy) == json.loads(body)
    assert json.loads(told(client_of(milo), copy)[1]) == json.loads(body)
    page = page_text(client_of(milo).get(brought.url))
    assert all(words in page for words in ("When?", "From nine.", "1/2"))
    assert page.count("brought in from a file, which says:") == 2
    assert "which says:" not in page_text(client_of(mia).get(chat_url(chat)))
    assert "0 good, 1 not" in stage_of_chats(milo).note  # the rating that was given here
    assert Correction.objects.get(author=milo).text == "At the front desk, with a passport."
    assert not copy.is_logged
    assert not LogEntry.objects.exists()
    assert Message.objects.filter(chat=chat).count() == 5  # nothing of it went


def test_a_chat_that_could_not_be_brought_in_again_is_no_file(chat, mia, client_of, monkeypatch):
    monkeypatch.setattr(transfer, "MOST_MESSAGES", 4)
    client = client_of(mia)
    answer = client.get(reverse("chat-download", args=[chat.pk, "json"]))
    assert "Take the branch that is shown along as Markdown" in page_text(client.get(answer.url))


def test_times_that_are_yet_to_come_are_now(served, mia, client_of):
    bring(client_of(mia), FILE | {"messages": [ONE | {"at": "2099-01-01T00:00:00+00:00"}, REPLY]})
    written = Message.objects.values_list("created_at", flat=True)
    assert max(written) <= timezone.now()


def test_a_shared_chat_tells_what_a_file_says_from_what_was_answered_here(
    chat, mia, milo, client_of
):
    bring(client_of(milo), told(client_of(mia), chat)[1].encode())
    copy = Chat.objects.get(owner=milo)
    client_of(milo).post(reverse("chat-share", args=[copy.pk]), {"shared": "1"})
    copy.refresh_from_db()
    page = page_text(client_of(mia).get(reverse("chat-shared", args=[copy.share_key])))
    assert page.count("brought in from a file, which says:") == 2
    assert page.count("from a file") == 4


def test_the_branch_that_is_shown_is_read_as_markdown(chat, mia, client_of):
    answer, body = told(client_of(mia), chat, "md")
    assert answer["Content-Type"].startswith("text/markdown")
    assert body.startswith("# How do I reset my badge?\n\n**You**\n\nHow do I")
    assert "At the **desk**." in body
    assert "passport" not in body
    assert client_of(mia).get(reverse("chat-download", args=[chat.pk, "exe"])).status_code == 404


ONE = {"parent": None, "role": "user", "text": "Hi"}
REPLY = {"parent": 0, "role": "assistant", "text": "Hello"}
FILE = {"format": "otto-chat", "version": 1, "messages": [ONE, REPLY]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no chat that OTTO exported"),
        (b"\xff\xfe\x00", "no chat that OTTO exported"),
        (b"[" * 100_000, "no chat that OTTO exported"),
        ({"format": "other"}, "no chat that OTTO exported"),
        (FILE | {"version": 2}, "newer OTTO"),
        (FILE | {"messages": []}, "1 to 5,000 messages"),
        (FILE | {"messages": [ONE, ONE | {"parent": 5}]}, "Message 2 of the file follows"),
        (FILE | {"messages": [ONE | {"role": ["user"]}]}, "neither a question nor an answer"),
        (FILE | {"messages": [ONE | {"role": "user\0"}]}, "neither a question nor an answer"),
        (FILE | {"messages": [ONE | {"role": "system"}]}, "neither a question nor an answer"),
        (FILE | {"messages": [ONE | {"role": "assistant"}]}, "answers no question"),
        (FILE | {"messages": [ONE, ONE | {"parent": 0}]}, "one of the same side"),
        (FILE | {"messages": [ONE | {"text": 7}]}, "has no text"),
        (FILE | {"shown": 9}, "branch that it does not hold"),
        (FILE | {"shown": 0}, "ends with a question without answer"),
        (FILE | {"messages": [ONE]}, "ends with a question without answer"),
        (b" " * (LARGEST + 1), "more than 8 MB or 5,000 messages cannot be brought in"),
    ],
)
def test_a_file_that_is_no_chat_is_refused_with_the_place(body, reason, served, mia, client_of):
    answer = bring(client_of(mia), body)
    assert answer.status_code == 422
    assert reason in page_text(answer)
    assert not Chat.objects.exists()


def test_what_a_file_makes_up_is_left_out(served, mia, client_of):
    messages = [
        ONE | {"at": "never"},
        {
            "parent": 0,
            "role": "assistant",
            "text": PAYLOADS[0] + "\0",
            "finish": "boom",
            "model": "x 1",
            "rating": 7,
            "corrects": 0,
            "reasons": "wrong",
        },
    ]
    body = FILE | {"messages": messages, "title": 5, "params": {"top_p": 9}, "deployment": {}}
    brought = bring(client_of(mia), body)
    chat = Chat.objects.get()
    assert (chat.title, chat.params, chat.deployment) == ("", {}, served)
    assert (Generation.objects.get().finish, Generation.objects.get().model) == ("stop", None)
    page = client_of(mia).get(brought.url).content.decode()
    assert PAYLOADS[0] not in page.split("</head>")[1]
    assert "a model that is not here" in page


HUGE = json.loads("1e999")


@pytest.mark.parametrize(
    ("said", "of_chat"),
    [
        ({"finish": ["stop"]}, {}),
        ({"finish": "stop\0"}, {}),
        ({"rating": [1]}, {}),
        ({"rating": HUGE}, {}),
        ({"rating": 1, "reasons": [{}, "\0"]}, {}),
        ({"model": {"a": 1}}, {}),
        ({"model": "\0\ud800 1"}, {}),
        ({"at": ["now"]}, {}),
        ({"at": "\ud800"}, {}),
        ({"corrects": HUGE}, {}),
        ({"text": "\ud800\0"}, {}),
        ({}, {"title": "\0\ud800", "system": "\0\ud800", "deployment": "\0\ud800"}),
        ({}, {"params": {"seed": HUGE}}),
        ({}, {"params": {"temperature": HUGE}}),
        ({}, {"params": {"temperature": None, "top_k": [1]}}),
    ],
)
def test_a_hostile_file_is_a_chat_of_what_holds_in_it(said, of_chat, served, mia, client_of):
    question = {name: ONE[name] for name in ("role", "text")}  # no parent is none
    answer = {"parent": 0, "role": "assistant", "text": "Hello"} | said
    body = json.dumps(FILE | {"messages": [question, answer]} | of_chat)
    brought = bring(client_of(mia), body.replace("Infinity", "1e999").encode())
    assert client_of(mia).get(brought.url).status_code == 200
    assert Generation.objects.get().finish == "stop"


def test_a_long_chat_takes_no_more_queries_than_a_short_one(
    served, mia, client_of, django_assert_max_num_queries
):
    talk = [
        {"parent": place - 1 if place else None, "role": role, "text": "Hi", "model": "x 1"}
        | {"rating": 1, "corrects": 1}
        for place, role in enumerate(["user", "assistant"] * 150)
    ]
    with django_assert_max_num_queries(40):
        bring(client_of(mia), FILE | {"messages": talk})
    chat = Chat.objects.get()
    with django_assert_max_num_queries(3):
        shown = transcript(chat)
    assert [one.answer.siblings.count for one in shown] == [1] * 150
    assert Correction.objects.latest("updated_at").written == shown[-1].answer.message


def test_only_settings_that_the_page_of_a_chat_has_are_brought_in(served, mia, client_of):
    kept = {"temperature": 0.2, "seed": 3}
    bring(client_of(mia), FILE | {"params": kept | {"stop": 5, "logit_bias": {"1": None}}})
    chat = Chat.objects.get()
    assert chat.params == kept
    assert {*SettingsForm(chat=chat).fields} == {*CHOSEN, "system"}


def test_nothing_is_brought_in_where_nobody_answers(db, mia, client_of):
    answer = bring(client_of(mia), FILE)
    assert answer.status_code == 422
    assert "No model answers here yet" in page_text(answer)
    assert client_of(mia).post(reverse("chat-import")).status_code == 422


def test_what_a_shared_chat_hides_is_found_by_its_owner_alone(chat, mia, milo, client_of):
    client_of(mia).post(reverse("chat-share", args=[chat.pk]), {"shared": "1"})

    def found(person, words):
        sidebar = client_of(person).get(reverse("chat-list"), {"q": words}).context["sidebar"]
        return [one.pk for one in (*sidebar.chats, *sidebar.shared)]

    assert found(milo, "passport") == []  # a branch that is not shown
    assert found(mia, "passport") == [chat.pk]
    assert found(milo, "FROM badge") == [chat.pk]


def test_pinned_chats_stand_above_the_others(chat, served, mia, client_of):
    newer = add_chat(served, mia, [("Is it open?", "Yes.")])
    client = client_of(mia)
    listed = client.get(reverse("chat-list"))
    assert [one.pk for one in listed.context["sidebar"].chats] == [newer.pk, chat.pk]
    client.post(reverse("chat-pin", args=[chat.pk]), {"pinned": "1"})
    listed = client.get(reverse("chat-list"))
    assert [one.pk for one in listed.context["sidebar"].chats] == [chat.pk, newer.pk]
    assert "pinned" in page_text(listed)
    client.post(reverse("chat-pin", args=[chat.pk]), {"pinned": "0"})
    assert Chat.objects.get(pk=chat.pk).pinned_at is None


def test_a_shared_chat_is_read_by_the_team_until_it_is_taken_back(
    chat, mia, milo, client, client_of
):
    share = reverse("chat-share", args=[chat.pk])
    client_of(mia).post(share, {"shared": "1"})
    chat.refresh_from_db()
    link = reverse("chat-shared", args=[chat.share_key])
    page = client_of(milo).get(link)
    words = page_text(page)
    assert all(said in words for said in ("mia", "How do I reset my badge?", "From nine."))
    html = page.content.decode().split("<main")[1]
    assert "<strong>desk</strong>" in html
    assert "<form" not in html.split("</main>")[0]
    assert link in client_of(milo).get(reverse("chat-list")).content.decode()
    assert client_of(milo).get(reverse("chat-detail", args=[chat.pk])).status_code == 404
    found = client_of(milo).get(reverse("chat-list"), {"q": "badge"})
    assert [one.pk for one in found.context["sidebar"].shared] == [chat.pk]
    assert client.get(link).status_code == 302
    client_of(mia).post(share, {"shared": "1"})  # the link stays what it is
    chat.refresh_from_db()
    assert reverse("chat-shared", args=[chat.share_key]) == link
    client_of(mia).post(share, {"shared": "0"})
    assert client_of(milo).get(link).status_code == 404
    assert link not in client_of(milo).get(reverse("chat-list")).content.decode()
    verbs = AuditEntry.objects.filter(object_type="chat").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["share", "share no more"]


@pytest.mark.parametrize("name", ["chat-pin", "chat-share", "chat-download"])
def test_strangers_find_nothing_and_links_change_nothing(name, chat, mia, milo, client, client_of):
    url = reverse(name, args=[chat.pk, *(["json"] if name == "chat-download" else [])])
    reads = name == "chat-download"
    stranger = client_of(milo)
    assert (stranger.get if reads else stranger.post)(url).status_code == 404
    assert (client_of(mia).post if reads else client_of(mia).get)(url).status_code == 405
    assert (client.get if reads else client.post)(url).status_code == 302


def test_no_role_reads_no_shared_chat(chat, milo, client_of):
    key = uuid4()
    Chat.objects.update(share_key=key)
    milo.groups.clear()
    assert client_of(milo).get(reverse("chat-shared", args=[key])).status_code == 403
    assert not Chat.objects.shared_with(milo).exists()
    assert client_of(milo).post(reverse("chat-import")).status_code == 403
