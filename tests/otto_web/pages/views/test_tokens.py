"""API tokens: made on a page, shown once, bounded by scope, role and time, revoked."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from otto_web.lib.access import Role
from otto_web.lib.models import ApiToken, AuditEntry
from otto_web.lib.tokens import Scope, TokenRefusedError, deployments_of, token_of
from otto_web.pages.services import people
from otto_web.pages.services.tokens import make_token, revoke_token
from tests.chat_app.makers import make_served
from tests.otto_web.test_routes import ADDRESSES

NOTHING = {"api-nothing", "own-api-nothing"}
NEW = {"name": "night script", "scopes": ["answers"]}


def bearing(text, **extra):
    return RequestFactory(headers={"Authorization": f"Bearer {text}"}).get("/", **extra)


def refusal(text, scope=Scope.ANSWERS, **extra):
    with pytest.raises(TokenRefusedError) as found:
        token_of(bearing(text, **extra), scope)
    return found.value


OPEN = {"sign-in", "sign-out", "set-password", "report-open", "status", "healthz", "readyz"}


@pytest.mark.checklist(405)
def test_nothing_but_health_and_ways_in_is_open(db, client):
    rules = {view.name: view.callback.access_rule for view in ADDRESSES.values()}
    assert {name for name, rule in rules.items() if rule == "public"} <= OPEN
    asked = [view for view in ADDRESSES.values() if rules[view.name] == "api"]
    assert len(asked) > 4
    for view in asked:
        kinds = view.pattern.converters.items()
        named = {name: uuid4() if kind.regex.startswith("[0-9a-f]") else 1 for name, kind in kinds}
        url = reverse(view.name, kwargs=named)
        for header in ({}, {"Authorization": "Bearer otto-wrong"}):
            answers = [client.get(url, headers=header), client.post(url, headers=header)]
            found = {answer.status_code for answer in answers}
            assert found == {404} if view.name in NOTHING else 401 in found <= {401, 405, 412}


def text_on(page):
    return html.unescape(re.search(r'id="fresh-token"[^>]*value="([^"]+)"', page.text)[1])


def test_a_token_is_shown_once_and_only_its_hash_is_kept(client_of, mia):
    desk = client_of(mia)
    page = desk.post("/profile/tokens/", NEW)
    text = text_on(page)
    assert text.startswith("otto-")
    assert "no-store" in page["Cache-Control"]
    assert text not in str([one.get_decoded() for one in Session.objects.all()])
    assert "fresh-token" not in desk.get("/profile/tokens/").text
    row = ApiToken.objects.get()
    assert text not in str(vars(row))
    assert row.prefix == text[:12]
    assert token_of(bearing(text), Scope.ANSWERS) == row
    assert "Last used" in desk.get("/profile/tokens/").text
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_token_may_do_what_was_chosen_and_no_more(client_of, mia, cora):
    make_served("support")
    desk = client_of(mia)
    desk.post("/profile/tokens/", NEW | {"deployments": ["support"]})
    assert ApiToken.objects.get().scopes == ["answers:support"]
    assert deployments_of(ApiToken.objects.get()) == {"support"}
    assert desk.post("/profile/tokens/", NEW | {"deployments": ["nothing"]}).status_code == 422
    _, text = make_token(cora, "x", ["answers"])
    assert refusal(text, Scope.UPLOADS).status == 403
    _, text = make_token(mia, "x", ["uploads"])
    with pytest.raises(TokenRefusedError, match="role curator"):
        token_of(bearing(text), Scope.UPLOADS, role=Role.CURATOR)


@pytest.mark.checklist(405)
def test_a_token_ends_on_its_day_and_by_being_revoked(client_of, mia, ada):
    desk = client_of(mia)
    assert desk.post("/profile/tokens/", NEW | {"last_day": "2001-01-01"}).status_code == 422
    today = timezone.localdate()
    text = text_on(desk.post("/profile/tokens/", NEW | {"last_day": str(today)}, follow=True))
    row = token_of(bearing(text), Scope.ANSWERS)
    assert timedelta(0) < row.expires_at - timezone.now() <= timedelta(days=1)
    ApiToken.objects.update(expires_at=timezone.now())
    assert refusal(text).status == 401
    row, text = make_token(mia, "second", ["answers"])
    desk.post(f"/profile/tokens/{row.pk}/revoke/")
    assert refusal(text).status == 401
    made, revoked = AuditEntry.objects.filter(object_id=str(row.pk)).order_by("pk")
    assert (made.verb, revoked.verb) == ("token.made", "token.revoked")
    page = client_of(ada).get("/people/audit/").text
    assert "revoked an API token" in page
    assert text not in page


@pytest.mark.checklist(405)
def test_only_its_person_and_an_admin_can_revoke_a_token(client_of, mia, milo, ada):
    row, text = make_token(mia, "mine", ["answers"])
    url = f"/profile/tokens/{row.pk}/revoke/"
    assert client_of(milo).post(url).status_code == 404
    assert "mine" not in client_of(milo).get("/profile/tokens/").text
    assert client_of(milo).get("/people/tokens/").status_code == 403
    page = client_of(ada).get("/people/tokens/").text
    assert "mine" in page
    assert text not in page
    client_of(ada).post(url)
    assert refusal(text).status == 401


def test_a_deactivated_persons_token_is_nothing(mia, ada):
    _, text = make_token(mia, "mine", ["answers"])
    people.deactivate(mia, actor=ada)
    assert refusal(text).status == 401


def test_wrong_tokens_are_slowed_down_as_wrong_passwords_are(mia, settings):
    settings.AXES_ENABLED = True
    row, good = make_token(mia, "mine", ["answers"])
    wrong = good[:-3] + "xyz"
    for _ in range(settings.AXES_FAILURE_LIMIT):
        assert refusal(wrong).status == 401
    assert refusal(wrong).status == 429
    found = refusal(good)
    assert (found.status, found.retry_after) == (429, 900)
    assert token_of(bearing(good, REMOTE_ADDR="10.0.0.7"), Scope.ANSWERS) == row


def test_many_different_wrong_tokens_close_an_address_but_not_for_whom_it_knows(mia, settings):
    settings.AXES_ENABLED, settings.OTTO_ADDRESS_FAILURE_LIMIT = True, 3
    _, known = make_token(mia, "known", ["answers"])
    _, strange = make_token(mia, "strange", ["answers"])
    assert token_of(bearing(known), Scope.ANSWERS)
    for number in range(3):
        assert refusal(f"otto-{number:020}").status == 401
    assert refusal("otto-and-another-one").status == 429
    assert refusal(strange).status == 429
    assert token_of(bearing(known), Scope.ANSWERS)


@pytest.mark.parametrize("text", ["", "\0", "x" * 9000, "otto-ü", "%s"])
def test_no_token_is_a_fault(db, text):
    assert refusal(text).status == 401


def test_one_person_has_a_bounded_number_of_tokens(client_of, mia, monkeypatch):
    monkeypatch.setattr("otto_web.pages.services.tokens.MOST_TOKENS", 1)
    row, _ = make_token(mia, "one", ["answers"])
    page = client_of(mia).post("/profile/tokens/", NEW)
    assert page.status_code == 422
    assert "Revoke one of them first" in page.text
    revoke_token(row, by=mia)
    assert text_on(client_of(mia).post("/profile/tokens/", NEW))
