"""What a visitor is told who is signed out, or whose role is too low."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_a_visitor_is_led_to_sign_in_and_back(client):
    answer = client.get(reverse("profile"))
    assert answer["Location"] == f"{reverse('sign-in')}?next={reverse('profile')}"


def test_a_fragment_asked_for_after_signing_out_loads_the_page_anew(client):
    answer = client.get(reverse("profile"), headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
    assert answer.content == b""


def test_a_form_sent_after_signing_out_keeps_what_was_typed(client):
    answer = client.post(reverse("profile"), {"theme": "dark"}, headers=HTMX)
    assert answer.status_code == 401
    assert "HX-Refresh" not in answer
