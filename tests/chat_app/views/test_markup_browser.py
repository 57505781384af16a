"""Replies, names and titles that try to run: in the page, in a fragment, over the socket."""

from __future__ import annotations

import pytest

from chat_app.events import streams
from chat_app.models import Chat, Deployment, Generation, Message
from chat_app.services import chats
from chat_app.services.chats import AnswerParams
from otto_web.lib.work.states import State
from tests.chat_app.conftest import Web, hear
from tests.chat_app.makers import ENDED, make_export, make_model
from tests.chat_app.payloads import ALL, PAYLOADS
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
KEY = "00000000-0000-4000-8000-00000000000"
DONE = """Do **this**:

- `step` one, see <https://docs.example/a>

| a | b |
|---|---|
| 1 | 2 |

```
make run
```"""


@pytest.fixture
def page(browser, process_env, transactional_db, redis_server, mia, client_of):
    """A tab of mia’s, whose console is heard."""
    with Web(process_env) as web:
        context = browser.new_context(base_url=web.address)
        cookie = client_of(mia).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": web.address}])
        found = context.new_page()
        found.complaints = []
        found.on("dialog", lambda said: found.complaints.append(said.message))
        found.on("console", lambda said: hear(found, said.text))
        yield found
        context.close()


@pytest.fixture
def chat(page, mia):
    """A chat whose deployment, model and title bear such names."""
    model = make_model(name=PAYLOADS[2])
    served = Deployment.objects.create(alias="support", model=model, export=make_export(model))
    made = chats.open_chat(served, owner=mia)
    Chat.objects.update(title=PAYLOADS[0])
    return made


def ask(chat):
    place = chats._Place(None, None)
    return chats._commit(chat, ALL[:19_000], AnswerParams(), idem=f"{KEY}1", place=place)


def assert_nothing_ran(page):
    assert page.evaluate("window.ran") is None
    assert page.title().startswith("<script>")
    assert page.locator("main :is(img, iframe, script, base, object, style)").count() == 0
    assert page.complaints == []


def end(asked, text):
    Message.objects.filter(pk=asked.answer.pk).update(text=text)
    Generation.objects.filter(pk=asked.generation.pk).update(
        state=State.SUCCEEDED, finish="stop", **ENDED
    )


def test_nothing_runs_over_the_socket_in_the_fragment_and_in_the_page(page, chat):
    asked = ask(chat)
    page.goto(f"/chat/{chat.pk}/")
    attached(page)
    text = ALL.replace("\0", "")
    frames = {
        number: {"t": "d", "gen": str(asked.generation.pk), "seq": number, "off": at, "s": sign}
        for number, (at, sign) in enumerate(enumerate(text), 1)
    }
    streams.send_frames(asked.generation.pk, frames)
    shown = page.locator("[data-answer]")
    until(lambda: len(shown.evaluate("one => one.textContent")) >= len(text))
    assert shown.evaluate("one => one.textContent") == text
    assert page.locator("[data-answer] *").count() == 0  # text, sign by sign
    assert_nothing_ran(page)
    end(asked, text)
    streams.send_frames(
        asked.generation.pk,
        {len(frames) + 1: {"t": "end", "gen": str(asked.generation.pk), "seq": len(frames) + 1}},
    )
    page.locator(".message-foot .rating").wait_for()
    assert page.locator("[data-answer] code").count() > 0
    assert_nothing_ran(page)
    for path in (f"/chat/{chat.pk}/", "/chat/", "/chat/?q=script"):
        page.goto(path)
        attached(page)
        page.locator(".chat-titles").wait_for()
        if path != "/chat/":
            assert page.evaluate("window.ran") is None
    page.goto(f"/chat/{chat.pk}/")
    assert_nothing_ran(page)


def test_a_finished_answer_is_laid_out_and_its_code_copied(page, chat):
    asked = ask(chat)
    end(asked, DONE)
    page.goto(f"/chat/{chat.pk}/")
    answer = page.locator("[data-answer]")
    assert answer.locator("strong, li code, td").all_inner_texts() == ["this", "step", "1", "2"]
    link = answer.get_by_role("link")
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer.get_by_role("button", name="Copy").click()
    answer.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "make run\n"
