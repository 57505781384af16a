"""What somebody types is sent once, by the key they mean, and never lost on the way."""

from __future__ import annotations

import pytest

from chat_app.models import Message
from chat_app.services import chats
from tests.chat_app.serving.toys import CHATS
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
FIRST, SECOND = CHATS[0][0], CHATS[1][0]
KEY = """options => {
  const box = document.querySelector("#message");
  const enter = {key: "Enter", bubbles: true, cancelable: true};
  const key = new KeyboardEvent("keydown", {...enter, ...options});
  box.dispatchEvent(key);
  return key.defaultPrevented;
}"""


def asked():
    return list(
        Message.objects.filter(role="user").order_by("created_at").values_list("text", flat=True)
    )


@pytest.fixture
def page(open_page, deployment, mia):
    """A chat whose line is live."""
    page = open_page(mia)
    page.goto(f"/chat/{chats.open_chat(deployment, owner=mia).pk}/")
    page.locator("#connection[data-state=live]").wait_for()
    attached(page)
    return page


def test_the_enter_that_ends_a_word_of_an_input_method_sends_nothing(page):
    page.fill("#message", "こん")
    assert not page.evaluate(KEY, {"keyCode": 229, "which": 229})  # Safari's only sign
    assert not page.evaluate(KEY, {"isComposing": True})
    assert page.input_value("#message") == "こん"
    assert page.evaluate(KEY, {"keyCode": 13})
    page.locator(".message-asked", has_text="こん").wait_for()
    assert asked() == ["こん"]


def test_what_is_typed_while_a_message_is_on_its_way_stays(page, web):
    with web.held():
        page.fill("#message", FIRST)
        page.keyboard.press("Enter")
        page.keyboard.type(" and more")
    page.locator(".message-asked", has_text=FIRST).wait_for()
    page.locator(".message-foot .rating").wait_for()
    assert page.input_value("#message") == " and more"
    assert asked() == [FIRST]


def test_a_second_message_waits_in_words_and_is_asked_as_itself(page, web):
    with web.held():
        page.fill("#message", FIRST)
        page.keyboard.press("Enter")
        page.fill("#message", SECOND)
        page.keyboard.press("Enter")
        page.get_by_text("still on its way").wait_for()
    page.locator(".message-foot .rating").wait_for()
    assert page.input_value("#message") == SECOND
    page.keyboard.press("Enter")
    page.locator(".message-foot .rating").nth(1).wait_for()
    assert asked() == [FIRST, SECOND]
    assert page.input_value("#message") == ""


def test_a_refused_message_comes_back_before_what_was_typed_meanwhile(page, web, deployment):
    type(deployment).objects.update(is_active=False)
    with web.held():
        page.fill("#message", FIRST)
        page.keyboard.press("Enter")
        page.keyboard.type("Also:")
    page.get_by_text("No model answers here").wait_for()
    assert page.input_value("#message") == f"{FIRST}\nAlso:"
    type(deployment).objects.update(is_active=True)
    page.keyboard.press("Enter")
    until(asked)
    assert asked() == [f"{FIRST}\nAlso:"]


def test_without_a_live_line_what_is_typed_meanwhile_stays_too(page, web, mia):
    page.route("**/ask/", lambda route: route.abort())
    page.evaluate("WebSocket.prototype.send = function () { this.close(); }")
    page.fill("#message", FIRST)
    page.keyboard.press("Enter")
    page.locator("#connection[data-state=offline]").wait_for()
    page.keyboard.type("Also:")
    page.get_by_text("could not be sent").wait_for()
    assert page.input_value("#message") == f"{FIRST}\nAlso:"


def test_a_tab_opened_before_the_question_shows_it_too_and_only_messages_scroll(
    page, open_page, mia
):
    page.set_viewport_size({"width": 360, "height": 640})
    other = open_page(mia)
    other.goto(page.url)
    other.locator("#connection[data-state=live]").wait_for()
    attached(other)
    for number, (question, _) in enumerate(CHATS * 2):
        page.fill("#message", question)
        page.keyboard.press("Enter")
        for tab in (page, other):
            tab.locator(".message-foot .rating").nth(number).wait_for()
            assert tab.locator(".exchange").count() == number + 1
    whole, wide, box, hidden = page.evaluate("""() => {
        const all = document.documentElement, log = document.querySelector("#transcript");
        return [all.scrollHeight - innerHeight, all.scrollWidth - innerWidth,
                document.querySelector("#message").getBoundingClientRect().bottom - innerHeight,
                log.scrollHeight - log.clientHeight];
    }""")
    assert max(whole, wide) <= 0  # the page stands still, with the box in view
    assert box < 0
    assert hidden > 0  # the messages scroll


def test_a_message_that_is_too_long_stays_whole_in_the_box_with_the_limit_in_words(page):
    longest = int(page.get_attribute("#message", "data-longest"))
    assert longest == chats.LONGEST_MESSAGE
    text = "😀" * (longest + 1)  # 80 kB: more than a frame of the socket may hold
    page.fill("#message", text)
    page.keyboard.press("Enter")
    page.get_by_text("The message has 20,001 characters; 20,000 are allowed.").wait_for()
    assert page.input_value("#message") == text
    assert asked() == []
    page.fill("#message", FIRST)
    page.keyboard.press("Enter")
    page.locator(".message-asked", has_text=FIRST).wait_for()
    assert page.get_by_text("are allowed").count() == 0


def test_the_longest_message_is_asked_whatever_its_characters_weigh(page):
    text = "😀" * chats.LONGEST_MESSAGE
    page.fill("#message", text)
    page.keyboard.press("Enter")
    page.locator(".message-asked", has_text="😀").wait_for()
    assert asked() == [text]
