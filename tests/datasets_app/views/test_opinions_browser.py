"""A second opinion in Chromium: given by keyboard on a telephone, faster than the answers come."""

from __future__ import annotations

import pytest
from django.conf import settings

from datasets_app.models import Decision
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import curation
from datasets_app.services.opinions import Sample, ask_opinion
from tests.datasets_app.makers import support_dataset
from tests.looking import faults
from tests.story_pages import Tab
from tests.waiting import attached

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def opinion(cora, theo):
    dataset = support_dataset(cora)
    pks = list(dataset.conversations.values_list("pk", flat=True)[:4])
    curation.decide_rows(dataset, pks, Decision.KEEP, by=cora)
    return ask_opinion(dataset, Sample(4, 1, RowFilter(), theo), by=cora)


@pytest.fixture
def tab(browser, live_server, client_of, theo):
    tab = Tab(browser, live_server.url, viewport={"width": 360, "height": 780})
    cookie = client_of(theo).cookies[settings.SESSION_COOKIE_NAME].value
    where = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}
    tab.context.add_cookies([where])
    tab.page.set_default_timeout(60_000)
    yield tab
    tab.context.close()


def test_four_conversations_are_judged_by_fast_keys(opinion, tab):
    path = f"/opinions/{opinion.pk}/"
    assert faults(tab, path) == []
    attached(tab.page)
    for key in "arura":  # the second is taken back and judged again
        tab.page.keyboard.press(key)
    tab.page.get_by_text("3 of 4 judged").wait_for()
    said = opinion.rows.order_by("place").values_list("second", flat=True)
    assert list(said) == ["keep", "exclude", "keep", None]
    tab.page.keyboard.press("a")
    tab.page.get_by_text("Cohen’s kappa").wait_for()
    assert faults(tab, path) == []
