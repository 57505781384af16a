"""The log: filters, the way back into a dataset, and what it never shows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from chat_app.models import LogEntry, Rating
from chat_app.services import chats, harvest
from datasets_app.models import Conversation, Dataset
from tests.chat_app.makers import add_chat, make_model, make_served

HTMX = {"HTTP_HX_REQUEST": "true"}
PRIVATE = (
    "Write to anna@corp.org or call +49 30 901820",
    "My card 4111 1111 1111 1111 is gone; mail anna@corp.org about it.",
)
EXCHANGES = [
    ("How do I reset my badge?", "Go to the front desk and show your passport."),
    ("When are you open?", "We are open from nine to five on working days."),
    PRIVATE,
]


@pytest.fixture
def served(db):
    return make_served()


@pytest.fixture
def logged(served, mia):
    return add_chat(served, mia, EXCHANGES, is_logged=True)


@pytest.fixture
def rated(logged, mia):
    for answer in answers(logged):
        chats.rate(answer, 1, by=mia)
    return logged


def answers(chat):
    return list(chat.messages.filter(role="assistant").order_by("created_at"))


def add(client, query="", **body):
    url = f"{reverse('log-harvest')}?{query}"
    return client.post(url, {"scope": "matching", "new_name": "From chats"} | body)


def test_a_curator_reads_exchanges_without_names(logged, cora, client_of):
    url = reverse("log-list")
    whole, part = client_of(cora).get(url), client_of(cora).get(url, **HTMX)
    assert (b"<html" in whole.content, b"<html" in part.content) == (True, False)
    assert "How do I reset my badge?" in part.content.decode()
    assert "mia" not in part.content.decode()
    assert str(logged.pk) not in part.content.decode()


@pytest.mark.parametrize("name", ["log-list", "log-harvest", "log-download"])
def test_members_are_refused_and_visitors_sign_in_first(name, logged, mia, client, client_of):
    for visitor, status in ((client_of(mia), 403), (client, 302)):
        send = visitor.post if name == "log-harvest" else visitor.get
        assert send(reverse(name)).status_code == status


def test_adding_is_no_link_and_reading_no_form(logged, cora, client_of):
    assert client_of(cora).get(reverse("log-harvest")).status_code == 405
    assert client_of(cora).post(reverse("log-list")).status_code == 405


def shown(client, **query):
    return [row.question for row in client.get(reverse("log-list"), query).context["page"].rows]


def test_filters_narrow_by_rating_deployment_model_date_and_use(
    logged, served, mia, cora, client_of
):
    client = client_of(cora)
    good, bad, _ = answers(logged)
    chats.rate(good, 1, by=mia)
    chats.rate(bad, -1, by=mia)
    other = make_served("other", make_model(number=2))
    add_chat(other, mia, [("Elsewhere?", "Yes, elsewhere.")], is_logged=True)
    assert shown(client, rating="up") == ["How do I reset my badge?"]
    assert shown(client, rating="down") == ["When are you open?"]
    assert shown(client, rating="none") == ["Elsewhere?", PRIVATE[0]]
    assert shown(client, deployment="other") == ["Elsewhere?"]
    assert len(shown(client, model=str(served.model_id))) == 3
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    assert shown(client, since=tomorrow) == []
    assert len(shown(client, until=tomorrow)) == 4
    add(client, "rating=up", previewed=1)
    assert len(shown(client, unused="1")) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday", "after": "now_here", "rating": "5", "model": "x\0y"},
        {"until": "9999-12-31", "deployment": "a\0b"},
        {"after": "2026-01-01T00:00:00_00000000-0000-0000-0000-000000000000"},
    ],
)
def test_an_odd_address_shows_what_it_can(query, logged, cora, client_of):
    assert client_of(cora).get(reverse("log-list"), query).status_code == 200


@pytest.mark.checklist(209, 220)
def test_exchanges_become_judged_conversations_without_personal_data(rated, cora, client_of):
    page = add(client_of(cora), previewed=3)
    dataset = Dataset.objects.get(name="From chats")
    assert page.status_code == 302
    texts = "\n".join(dataset.conversations.values_list("text", flat=True))
    assert "<EMAIL_1>" in texts
    assert "<PHONE_1>" in texts
    assert "<CARD_1>" in texts
    assert not any(word in texts for word in ("anna", "901820", "4111"))
    row = dataset.conversations.get(text__contains="front desk")
    assert [turn["role"] for turn in row.turns] == ["user", "assistant"]
    assert (row.origin, len(row.origin_key)) == ("chat", 64)
    entry = LogEntry.objects.get(conversation=row)
    assert entry.reviewed_by == cora
    said = client_of(cora).get(reverse("log-list")).content.decode()
    assert (
        reverse("dataset-detail", args=[dataset.pk]) in page.client.get(page.url).content.decode()
    )
    assert reverse("conversation-detail", args=[dataset.pk, row.pk]) in said


def test_a_poor_answer_is_set_aside_by_the_rules(served, mia, cora, client_of):
    chat = add_chat(served, mia, [("How do I get there?", "How do I get there?")], is_logged=True)
    chats.rate(answers(chat)[0], 1, by=mia)
    add(client_of(cora), previewed=1)
    assert "echo" in Conversation.objects.get().reasons


def test_only_answers_that_somebody_rated_good_go_into_the_data(logged, cora, mia, client_of):
    client = client_of(cora)
    assert "None of these answers is rated good" in add(client, previewed=3).content.decode()
    assert not Dataset.objects.exists()
    good, bad, _ = answers(logged)
    chats.rate(good, -1, by=mia)
    for answer, rating in ((good, "up"), (bad, "down")):
        client.post(reverse("log-rate", args=[answer.pk]), {"rating": rating})
    page = add(client, previewed=3)
    assert "2 were left out: not rated good" in client.get(page.url).content.decode()
    row = Conversation.objects.get()
    assert (row.origin_key, row.status) == (harvest.origin_key(good.pk), "kept")


def test_curators_rate_logged_answers_and_authors_see_their_own_thumb(logged, cora, mia, client_of):
    answer, url = answers(logged)[0], reverse("log-rate", args=[answers(logged)[0].pk])
    assert client_of(mia).post(url, {"rating": "up"}).status_code == 403
    part = client_of(cora).post(url, {"rating": "up"}, **HTMX)
    assert part.context["page"].rows[-1].rating == 1
    assert 'aria-pressed="true"' in part.content.decode()
    assert client_of(cora).post(url, {"rating": "five"}).status_code == 422
    own = client_of(mia).get(reverse("chat-detail", args=[logged.pk])).content.decode()
    assert 'aria-pressed="true"' not in own
    LogEntry.objects.filter(message=answer).delete()
    assert client_of(cora).post(url, {"rating": "up"}).status_code == 404


def test_adding_twice_doubles_nothing(rated, cora, client_of):
    client = client_of(cora)
    add(client, previewed=3)
    page = add(client, previewed=3)
    assert Conversation.objects.count() == 3
    assert Dataset.objects.count() == 1
    assert "3 were there already" in client.get(page.url).content.decode()


def test_selected_rows_alone_are_added_to_a_dataset_that_is_there(rated, cora, client_of):
    dataset = Dataset.objects.create(name="Support")
    first = answers(rated)[0]
    body = {"scope": "selected", "row": [str(first.pk), "no id"], "dataset": dataset.pk}
    answer = client_of(cora).post(reverse("log-harvest"), body, **HTMX)
    assert "1 exchange added." in answer.content.decode()
    assert dataset.conversations.get().origin_key == harvest.origin_key(first.pk)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"scope": "selected"}, "No exchange is selected"),
        ({"new_name": ""}, "Choose a dataset"),
        ({"previewed": 2}, "3 exchanges match now, 2 did when you looked"),
        ({"scope": "everything"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_added_is_said_and_leaves_nothing_behind(
    body, words, logged, cora, client_of
):
    answer = add(client_of(cora), **body)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Dataset.objects.exists()


@pytest.mark.checklist(209, 217)
def test_the_log_is_downloaded_as_input_output_timestamp(logged, cora, client_of):
    answer = client_of(cora).get(reverse("log-download"))
    rows = json.loads(b"".join(answer.streaming_content))
    assert len(rows) == 3
    assert set(rows[0]) == {"input", "output", "timestamp"}
    assert rows[-1]["input"] == "How do I reset my badge?"
    none = client_of(cora).get(reverse("log-download"), {"rating": "up"})
    assert json.loads(b"".join(none.streaming_content)) == []


def test_an_empty_log_says_why(served, theo, cora, client_of):
    page = client_of(cora).get(reverse("log-list")).content.decode()
    assert "Nothing is logged yet" in page
    served.is_logging = False
    served.save()
    assert "Logging is off" in client_of(cora).get(reverse("log-list")).content.decode()


def test_a_silent_deployment_is_named_where_it_is_asked_for(logged, mia, cora, client_of):
    quiet = make_served("quiet", make_model(number=2))
    quiet.is_logging = False
    quiet.save()
    page = client_of(cora).get(reverse("log-list"), {"deployment": "quiet"}).content.decode()
    assert "Logging is off for this deployment" in page


def test_pages_follow_one_another_without_gaps_in_the_same_number_of_queries(
    served, mia, cora, client_of, django_assert_max_num_queries
):
    add_chat(
        served, mia, [(f"Question {n}?", "An answer to it.") for n in range(60)], is_logged=True
    )
    Rating.objects.create(message=LogEntry.objects.first().message, user=mia, value=1)
    client = client_of(cora)
    with django_assert_max_num_queries(9):
        page = client.get(reverse("log-list"))
    rest = client.get(f"{reverse('log-list')}?{page.context['page'].following}")
    seen = [row.question for one in (page, rest) for row in one.context["page"].rows]
    assert seen == [f"Question {n}?" for n in reversed(range(60))]
