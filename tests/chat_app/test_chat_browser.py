"""The chat in Chromium, with a web process and an engine: words come, stay and can be stopped."""

from __future__ import annotations

import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from chat_app.models import Generation, GenerationState, LogEntry, Message
from chat_app.services import chats
from chat_app.services.chat_settings import store_settings
from chat_app.services.chats import AnswerParams
from chat_app.serving.export import write_graph
from otto_web.lib.words import clean
from tests.chat_app.conftest import add_model, wait_for
from tests.chat_app.makers import make_served
from tests.chat_app.serving.toys import CHATS, byte_tokenizer, llama, save

pytestmark = pytest.mark.slow
QUESTION, ANSWER = CHATS[0]
OPEN = "[data-generation] [data-answer]"
LONG = AnswerParams(temperature=1.0, top_p=1.0, new_tokens=230, seed=11)


@pytest.fixture
def slow_chat(deployment, data_dir, tmp_path, mia):
    """A chat with a model of 25 M untaught weights, which takes seconds for an answer."""
    torch.manual_seed(3)
    tokenizer = byte_tokenizer()
    network = llama(
        tokenizer.get_vocab_size(), hidden_size=512, intermediate_size=1024, num_hidden_layers=10,
        num_attention_heads=8, num_key_value_heads=8,
    )  # fmt: skip
    model = add_model(data_dir, save(network, tokenizer, tmp_path / "slow"), name="slow")
    write_graph(data_dir / model.path, "fp32")
    chat = chats.open_chat(make_served("slow", model), owner=mia)
    store_settings(chat, LONG, system="")
    return chat


def ask(page, text, field="#message"):
    page.wait_for_load_state("networkidle")  # the scripts are there
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
    open_page, slow_chat, mia
):
    page = open_page(mia)
    page.goto(f"/chat/{slow_chat.pk}/")
    ask(page, "Tell me everything you know")
    page.locator(OPEN, has_text=re.compile(".{6}", re.DOTALL)).wait_for()
    page.reload()
    page.locator(OPEN, has_text=re.compile(".{12}", re.DOTALL)).wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("stopped").wait_for()
    row = Generation.objects.get()
    assert row.state == GenerationState.STOPPED
    assert 0 < row.timings["tokens"] < LONG.new_tokens
    shown = page.locator("[data-answer]").evaluate("one => one.textContent")
    assert shown == page.evaluate("text => text", clean(row.message.text))
    assert page.complaints == []


def test_two_tabs_show_the_same_words(open_page, slow_chat, mia):
    first, second = open_page(mia), open_page(mia)
    first.goto(f"/chat/{slow_chat.pk}/")
    ask(first, "Tell me everything you know")
    first.locator(OPEN, has_text=re.compile(".{6}", re.DOTALL)).wait_for()
    second.goto(f"/chat/{slow_chat.pk}/")
    for page in (first, second):
        page.locator(".message-foot .rating").wait_for()
    texts = [page.locator("[data-answer]").inner_text() for page in (first, second)]
    assert texts[0] == texts[1]


def test_without_scripts_a_question_is_answered_too(open_page, deployment, mia):
    page = open_page(mia, java_script_enabled=False)
    page.goto("/chat/")
    page.fill("#first-message", QUESTION)
    page.get_by_role("button", name="Start a chat").click()
    wait_for(ended)
    page.reload()
    page.locator(".message-answer .message-text", has_text=ANSWER).wait_for()
    page.get_by_role("button", name="Bad answer").click()
    page.locator('.rating [aria-pressed="true"]').wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
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
