"""Sign-in, sign-out and one-time links."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from otto_web.lib.models import AuditEntry, Profile
from otto_web.lib.tokens import Scope, TokenRefusedError, token_of
from otto_web.pages.services import people as services
from otto_web.pages.services.tokens import make_token
from otto_web.pages.sweeps import SWEEPS
from tests.conftest import PASSWORD
from tests.page_text import page_text

SIGN_IN = "/sign-in/"
FRESH = "a-quite-fresh-password"


def sign_in(client, name, password=PASSWORD):
    return client.post(SIGN_IN, {"username": name, "password": password})


@pytest.mark.slow
def test_a_person_signs_in_and_out(client, mia):
    assert sign_in(client, "mia").headers["Location"] == "/"
    assert client.get("/profile/").status_code == 200
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get("/profile/").status_code == 302


def test_after_signing_in_one_lands_where_one_wanted_to_go(client, ada):
    wanted = client.get("/people/").headers["Location"]
    assert wanted == f"{SIGN_IN}?next=/people/"
    answer = client.post(wanted, {"username": "ada", "password": PASSWORD, "next": "/people/"})
    assert answer.headers["Location"] == "/people/"


def test_sign_in_leads_to_no_foreign_address(client, ada):
    data = {"username": "ada", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(SIGN_IN, data).headers["Location"] == "/"


@pytest.mark.parametrize("name", ["mia", "nobody", "gus"])
def test_a_wrong_sign_in_keeps_the_name_and_tells_nothing_more(client, mia, gus, name):
    password = PASSWORD if name == "gus" else "wrong"
    answer = sign_in(client, name, password)
    assert answer.status_code == 422
    assert "User name and password do not match" in answer.text
    assert f'value="{name}"' in answer.text


@pytest.mark.slow
def test_too_many_wrong_tries_close_the_door_for_a_while(client, mia, settings):
    settings.AXES_ENABLED = True
    answers = [sign_in(client, "mia", "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert answers[-1].status_code == 429
    assert "is closed for 15 min" in page_text(answers[-1])
    assert sign_in(client, "mia").status_code == 429


@pytest.fixture
def locks(settings, monkeypatch, mia, milo):
    """Turn the locks on; give a function that signs in from an address."""
    settings.AXES_ENABLED = True
    monkeypatch.setenv("DATABASE_URL", "of the test")  # so that commands start no server
    monkeypatch.setenv("REDIS_URL", "of the test")

    def enter(name, address, password=PASSWORD):
        data = {"username": name, "password": password}
        return Client(REMOTE_ADDR=address).post(SIGN_IN, data)

    return enter


@pytest.mark.slow
@pytest.mark.parametrize("seen_as", ["", "::ffff:"])  # the second where the web listens on ::
def test_a_name_is_closed_for_one_address_only(seen_as, locks, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        refused = locks("mia", f"{seen_as}192.0.2.7", "wrong")
    assert refused.status_code == locks("mia", "192.0.2.7").status_code == 429
    assert locks("milo", f"{seen_as}192.0.2.7").status_code == 302
    assert locks("mia", f"{seen_as}192.0.2.8").status_code == 302


@pytest.mark.slow
def test_tries_during_a_lock_do_not_make_it_longer(locks, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        locks("mia", "192.0.2.7", "wrong")
    almost = timezone.now() - timedelta(minutes=14, seconds=59)
    AccessAttempt.objects.update(attempt_time=almost)
    assert locks("mia", "192.0.2.7", "wrong").status_code == 429
    assert AccessAttempt.objects.get().attempt_time == almost
    AccessAttempt.objects.update(attempt_time=almost - timedelta(seconds=2))
    assert locks("mia", "192.0.2.7").status_code == 302


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attacker", "colleague"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")],
)
def test_an_address_that_tries_many_names_is_closed_but_not_for_its_people(
    locks, settings, attacker, colleague
):
    settings.OTTO_ADDRESS_FAILURE_LIMIT = 10
    assert locks("mia", colleague).status_code == 302
    answers = [locks(f"name{n}", attacker, "wrong") for n in range(10)]
    assert [answer.status_code for answer in answers] == [422] * 9 + [429]
    assert "Too many sign-ins failed from this address" in answers[-1].text
    assert locks("milo", attacker).status_code == 429
    assert locks("milo", "198.51.100.1").status_code == 302
    assert locks("mia", colleague).status_code == 302
    call_command("unlock", address=attacker, stdout=StringIO())
    assert locks("milo", attacker).status_code == 302


@pytest.mark.slow
def test_the_admin_gets_a_way_in(locks, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        locks("mia", "192.0.2.7", "wrong")
    out = StringIO()
    call_command("unlock", "milo", stdout=out)
    assert locks("mia", "192.0.2.7").status_code == 429
    call_command("unlock", "mia", stdout=out)
    assert locks("mia", "192.0.2.7").status_code == 302
    assert out.getvalue().splitlines() == [
        "Nothing was locked for “milo”.",
        "Unlocked: “mia” may try to sign in again at once.",
    ]


def test_the_session_of_a_deactivated_person_ends(client_of, ada, mia):
    client = client_of(mia)
    assert client.get("/profile/").status_code == 200
    services.deactivate(mia, actor=ada)
    assert client.get("/profile/").headers["Location"].startswith(SIGN_IN)


@pytest.mark.slow
def test_reactivating_brings_back_neither_sessions_nor_links_nor_keys(client, client_of, ada, mia):
    browser, other, link = client_of(mia), client_of(ada), services.make_link(mia, actor=ada)
    token, text = make_token(mia, "x", ["answers"])
    asked = RequestFactory(headers={"Authorization": f"Bearer {text}"}).get("/")
    assert token_of(asked, Scope.ANSWERS).user == mia
    services.deactivate(mia, actor=ada)
    services.reactivate(mia, actor=ada)
    assert browser.get("/profile/").status_code == 302
    assert "no longer works" in open_link(client, link).text
    with pytest.raises(TokenRefusedError):
        token_of(asked, Scope.ANSWERS)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert other.get("/profile/").status_code == 200
    assert sign_in(client, "mia").status_code == 302
    mia.refresh_from_db()  # a link fits until the next sign-in
    assert "Choose your password" in open_link(Client(), services.make_link(mia, actor=ada)).text


def test_ended_sessions_and_old_sign_ins_are_swept(client, client_of, ada, mia, settings):
    settings.AXES_ENABLED = True
    client_of(mia)
    sign_in(client, "ada")
    now = timezone.now()
    Session.objects.exclude(pk=client.session.session_key).update(expire_date=now)
    for sweep in SWEEPS:
        sweep(now + timedelta(seconds=1))
    assert Session.objects.get().pk == client.session.session_key
    assert AccessLog.objects.exists()
    for sweep in SWEEPS:
        sweep(now + timedelta(days=91))
    assert not Session.objects.exists()
    assert not AccessLog.objects.exists()


def open_link(client, link):
    """Follow the link as a browser does: the token moves from the address into the session."""
    return client.get(link, follow=True)


@pytest.mark.slow
def test_a_link_sets_the_password_once_and_signs_in(client, ada, mia):
    link = services.make_link(mia, actor=ada)
    page = open_link(client, link)
    assert "Choose your password" in page.text
    form = page.redirect_chain[-1][0]
    answer = client.post(form, {"new_password1": FRESH, "new_password2": FRESH})
    assert answer.headers["Location"] == "/"
    assert client.get("/profile/").status_code == 200
    assert User.objects.get(pk=mia.pk).check_password(FRESH)
    assert AuditEntry.objects.filter(verb="person.password_set", actor=mia).exists()
    assert "no longer works" in open_link(Client(), link).text


def test_a_weak_password_is_refused_beside_the_field(client, ada, mia):
    page = open_link(client, services.make_link(mia, actor=ada))
    form = page.redirect_chain[-1][0]
    answer = client.post(form, {"new_password1": "mia1", "new_password2": "mia1"})
    assert answer.status_code == 422
    assert "at least 10 characters" in answer.text
    assert list(answer.context["form"].errors) == ["new_password1"]


def test_an_old_link_and_that_of_a_deactivated_person_do_not_work(client, ada, mia, settings):
    old = services.make_link(mia, actor=ada)
    services.deactivate(mia, actor=ada)
    assert "no longer works" in open_link(client, old).text
    services.reactivate(mia, actor=ada)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "no longer works" in open_link(client, old).text


def test_a_link_with_nonsense_is_a_page_not_a_fault(client, db):
    assert "no longer works" in open_link(client, reverse("set-password", args=["zz", "a-b"])).text


def test_the_look_of_the_pages_comes_along_at_sign_in(client, mia):
    Profile.objects.create(user=mia, theme="dark", is_compact=False, keys_on=False)
    sign_in(client, "mia")
    page = page_text(client.get("/profile/"))
    assert 'data-theme="dark" data-density="roomy"' in page
    assert "data-keys" not in page


@pytest.mark.slow
def test_a_person_changes_the_password_and_other_browsers_are_signed_out(client_of, mia):
    here, elsewhere = client_of(mia), client_of(mia)
    data = {"old_password": PASSWORD, "new_password1": FRESH, "new_password2": FRESH}
    assert here.post("/profile/password/", data | {"old_password": "x"}).status_code == 422
    weak = here.post("/profile/password/", data | {"new_password1": "x1", "new_password2": "x1"})
    assert list(weak.context["form"].errors) == ["new_password1"]
    assert here.post("/profile/password/", data).headers["Location"] == "/profile/"
    assert here.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302
    assert AuditEntry.objects.get().verb == "person.password_set"
