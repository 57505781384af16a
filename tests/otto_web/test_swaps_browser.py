"""Whatever can be swapped on any page is swapped in Chromium, and its console stays clean."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connections

from tests.one_of_each import add_one_of_each, addresses
from tests.story_pages import Tab
from tests.waiting import attached

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ASKERS = "main :is([hx-get], [hx-post]):not([hx-disable] *)"
# what tells an asker from the same one of the next row
KINDS = f"""() => [...document.querySelectorAll("{ASKERS}")].map((one) => [
    one.localName, one.className, one.name, one.getAttribute("hx-target"),
    (one.getAttribute("hx-get") ?? one.getAttribute("hx-post")).replace(/[\\da-f-]{{8,}}|\\d/g, ""),
].join(" "))"""
# An asker that has nothing to ask is known as soon as its trigger and its delay are over; what was
# asked is waited for.
ASK = f"""(index) => new Promise((done) => {{
    const one = document.querySelectorAll("{ASKERS}")[index];
    const trigger = one.getAttribute("hx-trigger") ?? "";
    const every = Number(/every (\\d+)s/.exec(trigger)?.[1] ?? 0);
    const waiting = setTimeout(() => done(false), 1000 * every + 700);
    for (const name of ["htmx:beforeRequest", "htmx:before:request"])
        document.addEventListener(name, () => clearTimeout(waiting), {{ once: true }});
    for (const name of ["htmx:afterRequest", "htmx:after:request"])
        document.addEventListener(name, () => setTimeout(() => done(true), 60), {{ once: true }});
    const when = trigger.split(",").at(-1).trim().split(/[ \\[]/)[0];
    if (one.matches("form")) one.noValidate = true;
    if (one.matches("form")) one.requestSubmit();
    else if (when && when !== "click") one.dispatchEvent(new Event(when, {{ bubbles: true }}));
    else one.click();
}})"""


@pytest.fixture
def tab(browser, live_server, redis_server, client_of, ada, data_dir):
    with Tab(browser, live_server.url, viewport={"width": 1440, "height": 900}) as found:
        value = client_of(ada).cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}
        found.context.add_cookies([cookie])
        found.page.set_default_timeout(60_000)
        yield found


def filled(owner):
    """Add two of each in a thread of its own: the browser's event loop occupies this one."""

    def work():
        try:
            return [add_one_of_each(number, owner) for number in (1, 2)][-1]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def expected(said):
    """Tell what a browser says of a form sent without its fields, and of sockets: here are none."""
    refused = "Failed to load resource" in said and "status of 4" in said
    return refused or "WebSocket" in said or said.endswith("[object Event]")


def test_no_swap_of_any_page_fills_the_console(tab, ada):
    page, swapped = tab.page, set()
    for name, address in addresses(filled(ada)).items():
        answer = page.context.request.get(address)
        if not answer.ok or "text/html" not in answer.headers["content-type"]:
            continue
        page.goto(address)
        is_fresh = True
        for index, kind in enumerate(page.evaluate(KINDS)):
            if kind in swapped:
                continue
            if not is_fresh:
                page.goto(address)
            is_fresh = False
            attached(page)
            if index < page.locator(ASKERS).count() and page.evaluate(ASK, index):
                swapped.add(kind)
            said = [one for one in tab.complaints if not expected(one)]
            assert said == [], f"{name}: {kind}"
    assert len(swapped) > 15, swapped
