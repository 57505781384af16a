"""Choosing runs and looking at them side by side in Chromium, by keys alone."""

from __future__ import annotations

import pytest
from django.conf import settings as live_settings

from tests.training_app.conftest import toy_order
from tests.training_app.ended_runs import ended_run
from tests.waiting import attached
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("redis_server", "data_dir")]
CANVAS = "[data-compare-chart] canvas"
DRAWN = "c => Chart.getChart(c).data.datasets.map(d => d.data.map(p => [p.x, p.y]))"


@pytest.fixture
def runs(theo, version, transactional_db):
    """Two runs that are over and one that waits, for which the list is fetched again and again."""
    curves = [[4.0 / step + number for step in range(1, 9)] for number in (1, 2)]
    found = [ended_run(version, theo, name=f"run {n}", curve=c) for n, c in enumerate(curves)]
    queue_run(toy_order(version), created_by=theo)
    return found


@pytest.fixture
def page(runs, browser, live_server, client_of, theo, settings):
    settings.DEBUG = False
    session = client_of(theo).cookies[live_settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies(
        [{"name": live_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    found, said = context.new_page(), []
    found.on("pageerror", lambda error: said.append(str(error)))
    yield found
    context.close()
    assert said == []


@pytest.mark.checklist(134)
def test_runs_are_chosen_by_keys_and_drawn_over_each_other(page, runs):
    page.goto("/runs/")
    attached(page)
    assert page.locator("#run-compare").is_disabled()
    for run in runs:
        page.focus(f"#pick-{run.pk}")
        page.keyboard.press("Space")
    with page.expect_response("**/runs/?*run=*"):  # the list, fetched anew
        page.get_by_text("2 runs side by side.").wait_for()
    page.reload()
    attached(page)
    page.get_by_text("2 runs side by side.").wait_for()
    page.focus("#run-compare")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/compare/?*")
    page.wait_for_function(f"() => Chart.getChart(document.querySelector('{CANVAS}'))")
    page.select_option("#chart-y", "loss")
    drawn = page.locator(CANVAS).evaluate(DRAWN)
    assert [len(points) for points in drawn] == [8, 8, 8, 8]
    assert [x for x, _ in drawn[0]] == [4 * step for step in range(1, 9)]
    page.select_option("#chart-x", "time")
    per_step = runs[0].spec["train"]["micro_batch"] * runs[0].spec["model"]["context"]
    ended = page.locator(CANVAS).evaluate(DRAWN)[0][-1][0]
    assert ended == pytest.approx(32 * per_step / 1000 / 60)
    page.select_option("#chart-x", "tokens")
    page.check("#chart-log")
    page.reload()
    attached(page)
    assert page.input_value("#chart-x") == "tokens"
    assert page.is_checked("#chart-log")
