"""The form of a run in Chromium: what a person typed survives presets, quick keys and Enter."""

from __future__ import annotations

import pytest
from django.conf import settings as live_settings

from tests.training_app.conftest import make_version
from tests.waiting import attached
from training_app.models import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser, live_server, client_of, theo, settings):
    settings.DEBUG = False
    session = client_of(theo).cookies[live_settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies(
        [{"name": live_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    found = context.new_page()
    yield found
    context.close()


def test_presets_leave_what_was_typed_and_enter_queues_nothing(page, transactional_db):
    chosen, _newer = make_version(), make_version()
    page.goto("/runs/new/")
    attached(page)
    page.select_option("#id_version", str(chosen.pk))
    page.fill("#id_name", "Typed by hand")
    page.get_by_text("Advanced: network").click()
    page.fill("#id_dropout", "0.15")
    page.get_by_role("button", name="Tiny").click()
    page.get_by_text("Tiny changed").wait_for()
    page.get_by_role("button", name="Production").click()
    page.get_by_text("Production changed").wait_for()
    kept = {"#id_version": str(chosen.pk), "#id_name": "Typed by hand", "#id_dropout": "0.15"}
    assert {field: page.input_value(field) for field in kept} == kept
    assert page.input_value("#id_hidden_size") == "384"
    assert page.locator("#preset-production").get_attribute("aria-pressed") == "true"
    page.focus("#id_name")
    page.keyboard.press("Enter")
    page.get_by_text("What will happen").wait_for()
    page.locator("#run-forecast", has_text="updates").wait_for()
    assert page.input_value("#id_hidden_size") == "384"
    assert page.url.endswith("/runs/new/")
    assert not Run.objects.exists()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/runs/*-*/")
    run = Run.objects.get()
    assert (run.name, run.version_id) == ("Typed by hand", chosen.pk)
    assert (run.spec["model"]["dropout"], run.spec["model"]["hidden_size"]) == (0.15, 384)


@pytest.mark.checklist(8, 10)
def test_the_size_of_the_model_follows_layers_and_width_while_one_types(page, transactional_db):
    make_version()
    page.goto("/runs/new/?preset=tiny")
    attached(page)
    page.locator("#run-forecast", has_text="parameters").wait_for()
    page.get_by_text("Advanced: network").click()

    def size_after(field, value):
        before = page.locator("#run-forecast strong").first.inner_text()
        page.fill(f"#id_{field}", value)
        page.keyboard.press("Tab")
        page.wait_for_function(
            "before => document.querySelector('#run-forecast strong').innerText !== before",
            arg=before,
        )
        return page.locator("#run-forecast strong").first.inner_text()

    sizes = [size_after("layers", "6"), size_after("hidden_size", "256")]
    assert [size.split()[1] for size in sizes] == ["M", "M"]
    assert float(sizes[1].split()[0]) > 3 * float(sizes[0].split()[0])
    assert not Run.objects.exists()
