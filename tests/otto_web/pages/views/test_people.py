"""The pages on which an admin makes and changes people."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from otto_web.lib.access import Role, role_of
from otto_web.lib.models import AuditEntry
from tests.page_text import page_text

NEW = {"name": "Nora Berg", "username": "nora", "role": Role.CURATOR.value}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(client_of, ada):
    """The admin's browser."""
    return client_of(ada)


def link_on(page):
    return html.unescape(re.search(r'id="one-time-link"[^>]*value="([^"]+)"', page.text)[1])


def test_an_admin_makes_a_person_who_sets_the_password_by_the_link_shown_once(desk):
    page = desk.post("/people/new/", NEW, follow=True)
    link = link_on(page)
    assert link.startswith("http://testserver/welcome/")
    assert "one-time-link" not in desk.get(page.redirect_chain[-1][0]).text
    nora = User.objects.get(username="nora")
    assert role_of(nora) == Role.CURATOR
    assert not nora.has_usable_password()
    assert "Choose your password" in Client().get(link, follow=True).text


def test_every_change_leaves_an_audit_row(desk, ada, mia):
    desk.post("/people/new/", NEW)
    desk.post(f"/people/{mia.pk}/role/", {"role": Role.TRAINER.value})
    desk.post(f"/people/{mia.pk}/link/")
    desk.post(f"/people/{mia.pk}/deactivate/")
    desk.post(f"/people/{mia.pk}/reactivate/")
    rows = AuditEntry.objects.filter(actor=ada).order_by("at")
    assert [row.verb.removeprefix("person.") for row in rows] == [
        "created",
        "link_made",
        "role_changed",
        "link_made",
        "deactivated",
        "reactivated",
    ]
    changed = rows.get(verb="person.role_changed")
    assert (changed.before, changed.after) == ({"role": "member"}, {"role": "trainer"})
    page = desk.get(f"/people/{mia.pk}/").text
    assert "changed the role of mia" in page
    assert "role: member → trainer" in page
    assert "link_made" not in page


def test_a_taken_name_is_refused_beside_its_field_and_nothing_typed_is_lost(desk, mia):
    answer = desk.post("/people/new/", {**NEW, "username": "MIA"})
    assert answer.status_code == 422
    assert 'id="id_username_error"' in answer.text
    assert "“MIA” is taken" in answer.text
    assert 'value="Nora Berg"' in answer.text


def test_the_form_has_two_doors(desk):
    whole = desk.get("/people/new/")
    part = desk.post("/people/new/", {}, headers=HTMX)
    assert "<html" in whole.text
    assert part.status_code == 422
    assert part.text.lstrip().startswith('<form id="person-form"')
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize("change", ["deactivate", "role"])
def test_the_last_admin_can_not_be_taken_away(desk, ada, change):
    answer = desk.post(f"/people/{ada.pk}/{change}/", {"role": Role.MEMBER.value})
    assert answer.status_code == 422
    assert "is the only admin" in answer.text
    assert role_of(User.objects.get(pk=ada.pk)) == Role.ADMIN
    assert not AuditEntry.objects.exists()


def test_one_of_two_admins_can_go(desk, ada, theo):
    desk.post(f"/people/{theo.pk}/role/", {"role": Role.ADMIN.value})
    desk.post(f"/people/{ada.pk}/role/", {"role": Role.MEMBER.value})
    assert role_of(User.objects.get(pk=ada.pk)) == Role.MEMBER


def test_a_superuser_who_gets_a_role_has_exactly_that_role(desk, db):
    root = User.objects.create_superuser("root")
    desk.post(f"/people/{root.pk}/role/", {"role": Role.CURATOR.value})
    assert role_of(User.objects.get(pk=root.pk)) == Role.CURATOR


def test_a_deactivated_person_gets_no_link(desk, gus):
    answer = desk.post(f"/people/{gus.pk}/link/")
    assert answer.status_code == 422
    assert "Reactivate the account first" in answer.text


def test_a_role_that_is_none_of_the_four_is_refused(desk, mia):
    assert desk.post(f"/people/{mia.pk}/role/", {"role": "9"}).status_code == 422


def test_a_name_is_text_never_markup(desk):
    desk.post("/people/new/", {**NEW, "name": "<script>x</script>"})
    page = desk.get("/people/").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_the_list_shows_everybody_with_a_fixed_number_of_queries(
    desk, mia, gus, django_assert_num_queries
):
    with django_assert_num_queries(5):  # session, person, role, people, their groups
        page = desk.get("/people/").text
    assert "deactivated" in page
    User.objects.bulk_create(User(username=f"person-{n}") for n in range(20))
    with django_assert_num_queries(5):
        desk.get("/people/")


PLACES = ["", "new/", "1/", "1/role/", "1/link/", "1/deactivate/", "1/reactivate/"]


@pytest.mark.parametrize("place", PLACES)
def test_only_admins_come_here(client, client_of, theo, place):
    assert client.get(f"/people/{place}").headers["Location"].startswith("/sign-in/")
    refused = client_of(theo).get(f"/people/{place}")
    assert refused.status_code == 403
    assert "role <strong>admin</strong>" in page_text(refused)


@pytest.mark.parametrize("deed", ["role", "link", "deactivate", "reactivate"])
def test_changes_are_posted_and_meant_for_somebody_who_exists(desk, deed):
    assert desk.get(f"/people/1/{deed}/").status_code == 405
    assert desk.post(f"/people/987654/{deed}/").status_code == 404
