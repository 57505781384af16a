"""Branches in Chromium: by keyboard, in two tabs, after a reload, on a phone."""

from __future__ import annotations

import pytest

from chat_app.models import Chat, Correction, Generation, Message
from chat_app.services import chats
from tests.chat_app.serving.toys import CHATS
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
QUESTION = CHATS[0][0]


def ended(number):
    rows = Generation.objects.exclude(state__in=["queued", "running"])
    until(lambda: rows.count() == number)


def shown(page):
    return page.locator("[data-answer]").all_inner_texts()


@pytest.mark.checklist(213)
def test_branches_by_keyboard_are_the_same_in_every_tab_and_after_a_reload(
    open_page, deployment, mia
):
    address = f"/chat/{chats.open_chat(deployment, owner=mia).pk}/"
    Chat.objects.update(params={"new_tokens": 6})
    page, phone = open_page(mia), open_page(mia, viewport={"width": 360, "height": 720})
    for tab in (page, phone):
        tab.goto(address)
        tab.locator("#connection[data-state=live]").wait_for()
        attached(tab)
    page.fill("#message", QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Continue").wait_for()
    attached(page)
    page.locator(".message-answer").focus()
    page.keyboard.press("o")  # go on with what was cut
    ended(2)
    page.locator(".message-answer .siblings", has_text="2/2").wait_for()
    attached(page)
    page.locator(".message-answer .rating").wait_for()
    page.locator("body").press("[")
    page.locator(".message-answer .siblings", has_text="1/2").wait_for()
    phone.locator(".message-answer .siblings", has_text="1/2").wait_for()
    assert shown(page) == shown(phone)
    phone.reload()
    phone.locator(".message-answer .siblings", has_text="1/2").wait_for()
    attached(page)
    page.fill("#message", "")
    page.locator("#message").press("ArrowUp")  # edit the last question
    page.keyboard.type(" Now?")
    page.keyboard.press("Enter")
    ended(3)
    asked = page.locator(".message-asked .siblings", has_text="2/2")
    asked.wait_for()
    assert Message.objects.filter(role="user", text=f"{QUESTION} Now?").exists()
    phone.locator(".message-asked .siblings", has_text="2/2").wait_for()
    wide = phone.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert page.complaints + phone.complaints == []


def test_what_is_being_edited_stays_when_another_tab_shows_another_branch(
    open_page, deployment, mia
):
    address = f"/chat/{chats.open_chat(deployment, owner=mia).pk}/"
    page, other = open_page(mia), open_page(mia)
    page.goto(address)
    page.locator("#connection[data-state=live]").wait_for()
    attached(page)
    page.fill("#message", QUESTION)
    page.keyboard.press("Enter")
    page.locator(".message-foot .rating").wait_for()
    attached(page)
    page.locator("#message").press("ArrowUp")
    page.keyboard.type(" half a thought")
    other.goto(address)
    attached(other)
    other.get_by_role("button", name="Again").click()
    other.locator(".message-answer .siblings", has_text="2/2").wait_for()
    assert "half a thought" in page.locator(".message-edit[open] textarea").input_value()
    page.keyboard.press("Escape")
    assert page.locator(".message-edit[open]").count() == 0
    page.locator(".message-answer .siblings", has_text="2/2").wait_for()


def test_an_answer_is_corrected_by_keyboard(open_page, deployment, mia):
    page = open_page(mia, viewport={"width": 360, "height": 720})
    page.goto(f"/chat/{chats.open_chat(deployment, owner=mia).pk}/")
    page.locator("#connection[data-state=live]").wait_for()
    attached(page)
    page.fill("#message", QUESTION)
    page.keyboard.press("Enter")
    page.locator(".message-foot .rating").wait_for()
    attached(page)
    page.locator(".message-answer").focus()
    page.keyboard.press("-")
    page.get_by_role("button", name="made up").click()
    page.locator('[aria-pressed="true"]', has_text="made up").wait_for()
    page.locator(".message-answer").focus()
    page.keyboard.press("c")
    page.keyboard.press("Control+A")
    page.keyboard.type(QUESTION)  # an echo
    page.get_by_text("It cannot be saved like this.").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="Not saved").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.type("Ask at the front desk in the hall.")
    page.locator(".word-difference ins", has_text="front desk").wait_for()
    page.keyboard.press("Enter")
    page.locator(".message-answer .siblings", has_text="2/2").wait_for()
    assert shown(page) == ["Ask at the front desk in the hall."]
    assert Correction.objects.get().author == mia
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert page.complaints == []
