"""The frame and its pages in Chromium: readable by everybody, silent console, keys that work."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from otto_web.pages.services import people as services
from tests.waiting import attached

pytestmark = pytest.mark.slow
PAGES = (
    "/",
    "/people/",
    "/people/new/",
    "/people/{mia}/",
    "/profile/",
    "/profile/password/",
    "/status/",
    "/help/",
)
WIDTHS = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.fixture
def open_page(browser, live_server, client_of, redis_server):
    """Give a function that opens a signed-in tab and collects what its console complains about."""
    contexts = []

    def opened(person=None, **options):
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        if person is not None:
            cookie = client_of(person).cookies["sessionid"].value
            host = urlsplit(live_server.url).hostname
            context.add_cookies(
                [{"name": "sessionid", "value": cookie, "domain": host, "path": "/"}]
            )
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda said: complain(page, said))
        page.on("pageerror", lambda fault: page.complaints.append(str(fault)))
        return page

    yield opened
    for context in contexts:
        context.close()


def complain(page, said):
    if said.type in {"error", "warning"} and "status of 4" not in said.text:
        page.complaints.append(said.text)


def check(page, where):
    """Assert that nothing is hard to read, sticks out sideways or breaks the content policy."""
    found = Axe().run(page).response["violations"]
    what = [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found]
    assert what == [], where
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where} is {wide} px too wide"
    assert page.complaints == [], where


@pytest.mark.parametrize(("width", "theme"), [("desk", "light"), ("phone", "dark")])
def test_everybody_can_read_the_pages(open_page, ada, mia, theme, width):
    page = open_page(ada, viewport=WIDTHS[width], color_scheme=theme)
    for path in PAGES:
        page.goto(path.format(mia=mia.pk))
        check(page, f"{path} {theme} {width}")
    visitor = open_page(viewport=WIDTHS[width], color_scheme=theme)
    for path in ("/sign-in/", "/status/", services.make_link(mia, actor=ada), "/welcome/a/b-c/"):
        visitor.goto(path)
        check(visitor, f"{path} {theme} {width}")


def test_a_refused_form_can_be_read_too(open_page, ada):
    page = open_page(ada)
    page.goto("/people/new/")
    page.fill("#id_name", "Ada the second")
    page.fill("#id_username", "ada")
    page.get_by_role("button", name="Add and make the link").click()
    page.get_by_text("“ada” is taken").wait_for()
    assert page.input_value("#id_name") == "Ada the second"
    check(page, "a refused form")


def test_a_persons_theme_wins_over_the_systems(open_page, mia):
    page = open_page(mia, color_scheme="light")
    page.goto("/profile/")
    page.select_option("#id_theme", "dark")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(20, 23, 27)"


def test_keys_lead_around_and_can_be_switched_off(open_page, mia):
    page = open_page(mia)
    page.goto("/help/")
    attached(page)
    page.keyboard.press("?")
    page.locator("dialog#keys[open]").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url(re.compile(r"/$"))
    page.goto("/profile/")
    page.uncheck("#id_keys_on")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.keyboard.press("?")
    assert not page.locator("dialog#keys[open]").is_visible()


def test_without_a_mouse_one_skips_to_the_content_and_signs_out(open_page, mia):
    page = open_page(mia)
    page.goto("/help/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("button", name="mia").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Sign in").wait_for()


def test_without_scripts_the_pages_work(open_page, ada, mia):
    page = open_page(ada, java_script_enabled=False)
    page.goto("/people/new/")
    page.fill("#id_name", "Nora")
    page.fill("#id_username", "nora")
    page.select_option("#id_role", label="member: chats and rates answers")
    page.get_by_role("button", name="Add and make the link").click()
    assert "/welcome/" in page.input_value("#one-time-link")


def test_times_are_shown_in_the_viewers_words(open_page, mia, ada):
    services.make_link(mia, actor=ada)
    page = open_page(ada, timezone_id="Asia/Tokyo", locale="en-GB")
    page.goto(f"/people/{mia.pk}/")
    time = page.locator("time[data-when]").first
    time.filter(has_text="just now").wait_for()
    assert "GMT+9" in time.get_attribute("title")


def test_a_server_that_does_not_answer_is_said_and_nothing_typed_is_lost(open_page, ada):
    page = open_page(ada)
    page.goto("/status/")
    attached(page)
    page.route("**/status/", lambda route: route.abort())
    page.get_by_text("The server does not answer").wait_for()


ECHO = """async () => {
  const { socket } = await import("/static/js/socket.js");
  document.body.dataset.heard = "";
  const frame = (one) => { document.body.dataset.heard += `${one.gen}:${one.s} `; };
  socket.follow("7", { opened: () => socket.send({ op: "sub", gen: "7" }), frame });
  socket.follow("8", { frame });
}"""


COUNT_TRIES = """() => {
  window.tries = 0;
  const wait = window.setTimeout;
  window.setTimeout = (act, ...more) => {
    window.tries += act.name === "open";
    return wait(act, ...more);
  };
}"""


def test_a_broken_line_comes_back_and_every_follower_subscribes_again(open_page, mia):
    page = open_page(mia)
    lines = []
    page.route_web_socket("**/ws/chat/", lambda line: answer_subscriptions(line, lines))
    page.goto("/help/")
    page.evaluate(ECHO)
    page.locator('body[data-heard="7:hello "]').wait_for()
    page.get_by_text("● live").wait_for()
    page.evaluate(COUNT_TRIES)
    lines[0].close(code=1012)
    page.locator('body[data-heard="7:hello 7:hello "]').wait_for()
    lines[1].close(code=4401)
    page.get_by_text("offline").wait_for()
    assert page.evaluate("window.tries") == 1  # signed out: no use in trying again
    assert len(lines) == 2


def test_a_line_that_opened_before_its_sign_was_there_is_told_live(open_page, mia):
    page = open_page(mia)
    held = []
    page.route("**/connection*.js", lambda route: held.append(route))  # noqa: PLW0108 - wrapped
    page.route_web_socket("**/ws/chat/", lambda line: answer_subscriptions(line, []))
    with page.expect_request("**/connection*.js"):
        page.goto("/help/", wait_until="commit")
    page.evaluate(ECHO)
    page.locator('body[data-heard="7:hello "]').wait_for()
    held[0].continue_()
    page.get_by_text("● live").wait_for()


def answer_subscriptions(line, lines):
    lines.append(line)
    line.on_message(lambda _text: line.send('{"t": "d", "gen": "7", "s": "hello"}'))
