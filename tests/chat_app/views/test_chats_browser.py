"""The chat in Chromium, with a web process and an engine: words come, stay and can be stopped."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from chat_app.models import Generation, LogEntry, Message
from chat_app.services import chats
from otto_web.lib.words import clean
from otto_web.lib.work.states import State
from tests.chat_app.serving.toys import CHATS
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
QUESTION, ANSWER = CHATS[0]
OPEN = "[data-generation] [data-answer]"


@pytest.fixture
def held_engine(process_env, failpoint_at):
    """Let the engine stop in the middle of the first answer until `release`."""
    point = failpoint_at("engine.emit", "hold@25")
    process_env.update(point.env)
    return point


def ask(page, text, field="#message"):
    attached(page)
    page.fill(field, text)
    page.keyboard.press("Enter")


def ended():
    return not Generation.objects.filter(state__in=["queued", "running"]).exists()


@pytest.mark.checklist(203, 208)
def test_a_question_is_answered_word_by_word_and_rated(open_page, deployment, mia):
    page = open_page(mia)
    page.goto("/chat/")
    ask(page, QUESTION, "#first-message")
    page.wait_for_url("**/chat/*-*/")
    page.locator(".message-answer .message-text", has_text=ANSWER).wait_for()
    page.get_by_text("tok/s").wait_for()
    ask(page, CHATS[1][0])
    second = page.locator(".message-answer .rating").nth(1)
    second.wait_for()
    second.get_by_role("button", name="Good").click()
    page.locator('.rating [aria-pressed="true"]').wait_for()
    assert page.input_value("#message") == ""
    assert Message.objects.filter(role="user").count() == 2
    assert LogEntry.objects.exists()
    assert page.complaints == []


@pytest.mark.checklist(206, 210)
def test_a_reload_in_mid_answer_loses_nothing_and_esc_keeps_what_is_written(
    held_engine, open_page, deployment, mia
):
    page = open_page(mia)
    page.goto(f"/chat/{chats.open_chat(deployment, owner=mia).pk}/")
    ask(page, QUESTION)
    page.locator(OPEN, has_text=ANSWER[:12]).wait_for()
    page.reload()
    page.locator(OPEN, has_text=ANSWER[:12]).wait_for()
    attached(page)
    page.keyboard.press("Escape")
    until(Generation.objects.filter(stop_requested_at__isnull=False).exists)
    checkpointed = Generation.objects.get().lease_until
    until(lambda: Generation.objects.get().lease_until > checkpointed)  # by then it has heard
    held_engine.release()
    page.get_by_text("stopped").wait_for()
    row = Generation.objects.get()
    assert row.state == State.CANCELLED
    assert 0 < len(row.answer.text) < len(ANSWER)
    shown = page.locator("[data-answer]").evaluate("one => one.textContent")
    # a finished answer is laid out: no space is left at its end
    assert shown.strip() == page.evaluate("text => text", clean(row.answer.text)).strip()
    assert page.complaints == []


def test_two_tabs_show_the_same_words(held_engine, open_page, deployment, mia):
    first, second = open_page(mia), open_page(mia)
    address = f"/chat/{chats.open_chat(deployment, owner=mia).pk}/"
    first.goto(address)
    ask(first, QUESTION)
    for page in (first, second):
        page.goto(address)
        page.locator(OPEN, has_text=ANSWER[:12]).wait_for()
    held_engine.release()
    for page in (first, second):
        page.locator(".message-foot .rating").wait_for()
    texts = [page.locator("[data-answer]").inner_text() for page in (first, second)]
    assert texts[0] == texts[1]


def test_without_scripts_a_question_is_answered_too(open_page, deployment, mia):
    page = open_page(mia, java_script_enabled=False)
    page.goto("/chat/")
    page.fill("#first-message", QUESTION)
    page.get_by_role("button", name="Start a chat").click()
    until(ended)
    page.reload()
    page.locator(".message-answer .message-text", has_text=ANSWER).wait_for()
    page.get_by_role("button", name="Bad answer").click()
    page.locator('.rating [aria-pressed="true"]').wait_for()


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
def test_everybody_can_read_the_pages(open_page, deployment, theo, theme, width):
    chat = chats.open_chat(deployment, owner=theo)
    page = open_page(theo, viewport={"width": width, "height": 800}, color_scheme=theme)
    page.goto(f"/chat/{chat.pk}/")
    ask(page, QUESTION)
    page.locator(".message-foot .rating").wait_for()
    page.locator("#chat-settings summary").click()
    check(page, "chat")
    model = f"/models/{deployment.model_id}/exports/"
    for path in ("/chat/", "/logs/", "/deployments/", "/deployments/support/", model):
        page.goto(path)
        check(page, path)
    page.goto("/deployments/new/")
    check(page, "/deployments/new/")


def check(page, where):
    """Assert that nothing is hard to read and nothing sticks out sideways."""
    found = Axe().run(page).response["violations"]
    what = [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found]
    assert what == [], where
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where} is {wide} px too wide"
    assert page.complaints == []
