"""The number of a request stands wherever somebody looks for it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from otto_web.lib import audit
from otto_web.lib.models import AuditEntry
from otto_web.pages.selectors import people as selectors

pytestmark = pytest.mark.django_db(transaction=True)
NAMED = {"X-Request-ID": "from-a-proxy-0001"}


def test_a_change_is_noted_with_the_request_that_made_it(client_of, ada, mia):
    body = {"name": "Nora", "username": "nora", "role": "1"}
    answer = client_of(ada).post(reverse("person-new"), body, headers=NAMED)
    assert answer["X-Request-ID"] == NAMED["X-Request-ID"]
    ids = AuditEntry.objects.filter(verb="person.created").values_list("request_id", flat=True)
    assert list(ids) == [NAMED["X-Request-ID"]]
    audit.record(None, "by a command", ada)
    assert AuditEntry.objects.get(verb="by a command").request_id == ""


def test_a_number_that_is_none_is_replaced(client):
    answer = client.get(reverse("healthz"), headers={"X-Request-ID": "a b; c"})
    assert len(answer["X-Request-ID"]) == 32


def test_the_number_that_a_fault_shows_is_in_the_log(client_of, ada, monkeypatch, caplog):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr(selectors, "people", broken)
    client = client_of(ada)
    client.raise_request_exception = False
    answer = client.get(reverse("people-list"), headers=NAMED)
    assert answer.status_code == 500
    assert NAMED["X-Request-ID"] in answer.content.decode()
    assert f"request {NAMED['X-Request-ID']} to people-list was answered 500" in caplog.text
