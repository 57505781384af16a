"""The log: filters, ratings, downloads, and what it never shows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from chat_app.models import LogEntry, Rating
from chat_app.services import chats
from tests.chat_app.makers import add_chat, make_model, make_served
from tests.datasets_app.makers import support_dataset

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


def answers(chat):
    return list(chat.messages.filter(role="assistant").order_by("created_at"))


def test_a_curator_reads_exchanges_without_names(logged, cora, client_of):
    url = reverse("log-list")
    whole, part = client_of(cora).get(url), client_of(cora).get(url, **HTMX)
    assert (b"<html" in whole.content, b"<html" in part.content) == (True, False)
    assert "How do I reset my badge?" in part.content.decode()
    assert "mia" not in part.content.decode()
    assert str(logged.pk) not in part.content.decode()


@pytest.mark.parametrize("name", ["log-list", "log-download"])
def test_members_are_refused_and_visitors_sign_in_first(name, logged, mia, client, client_of):
    for visitor, status in ((client_of(mia), 403), (client, 302)):
        assert visitor.get(reverse(name)).status_code == status


def test_reading_the_log_is_no_form(logged, cora, client_of):
    assert client_of(cora).post(reverse("log-list")).status_code == 405


def shown(client, **query):
    return [row.question for row in client.get(reverse("log-list"), query).context["page"].rows]


@pytest.mark.slow
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
    used = support_dataset(cora).conversations.first()
    LogEntry.objects.filter(message=good).update(conversation=used)
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


@pytest.mark.slow
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


@pytest.mark.slow
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
