"""The queue of repeats in Chromium: decided without a mouse, readable on a telephone."""

from __future__ import annotations

import pytest
from django.conf import settings

from datasets_app.jobs.repeats import find_repeats
from datasets_app.models import Status
from datasets_app.services.datasets import create_dataset
from datasets_app.services.repeats import order_search
from tests.datasets_app.makers import add, pair
from tests.looking import faults
from tests.story_pages import Tab
from tests.waiting import attached

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
THINGS = ("tent", "kettle", "lamp", "jacket")


@pytest.fixture
def queue(cora, redis_server, data_dir):
    dataset = create_dataset("Support", by=cora)
    rows = [
        pair(f"How long can I return a {thing}?", f"You have {days} days to send the {thing} back.")
        for thing in THINGS
        for days in (14, 30)
    ]
    add(dataset, rows)
    order_search(dataset, by=cora)
    find_repeats(dataset.pk)
    assert dataset.clusters.waiting().count() == len(THINGS)
    return dataset


@pytest.fixture
def tab(browser, live_server, client_of, cora):
    tab = Tab(browser, live_server.url, viewport={"width": 360, "height": 780})
    cookie = client_of(cora).cookies[settings.SESSION_COOKIE_NAME].value
    where = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}
    tab.context.add_cookies([where])
    tab.page.set_default_timeout(60_000)
    yield tab
    tab.context.close()


def test_four_conflicts_are_decided_by_keyboard_and_the_last_is_undone(queue, tab):
    path = f"/datasets/{queue.pk}/repeats/"
    assert faults(tab, path) == []
    page = tab.page
    attached(page)
    decided = page.locator(".repeat[data-decided]")
    for key in ("2", "Enter", "a"):  # as fast as somebody types
        page.keyboard.press(key)
    decided.nth(1).wait_for()
    page.keyboard.press("m")
    page.keyboard.press("End")
    page.locator("textarea:focus").fill("You have 21 days.")
    page.locator(".repeat[aria-current] button[value=merge]").click()
    decided.nth(2).wait_for()
    page.keyboard.press("Enter")
    decided.nth(3).wait_for()
    page.keyboard.press("u")
    page.locator(".repeat:not([data-decided])").wait_for()
    assert faults(tab, path) == []
    excluded = queue.conversations.filter(status=Status.EXCLUDED)
    assert (excluded.count(), excluded.filter(text__contains="14 days").exists()) == (2, True)
    assert queue.conversations.get(revision=2).turns[1]["text"] == "You have 21 days."
