"""From fifty questions in a table to a chat that quotes them, in a browser, without training."""

from __future__ import annotations

import csv
import io

import pytest

from tests import story_pages as story
from tests.otto_web.installation import Installation
from tests.story_pages import Tab
from tests.waiting import attached

pytestmark = pytest.mark.slow
PARTS = "bell saddle chain pedal fork wheel brake tube rack light".split()
WORK = {
    "How much does a new {} cost?": "A new {} costs {},50 €, fitting “included”.",
    "How long does it take to repair the {}?": "We repair the {} in {} days, says Jürgen.",
    "Which {} do you recommend?": "The {} “Köln {}”, it lasts for years.",
    "Was kostet es, das Teil „{}“ zu prüfen?": "Das Teil „{}“ prüfen wir für {} €, Änne macht das.",
    "Is there a warranty on the {}?": "Yes, on the {}: {} months, with the receipt.",
}


def table():
    """Fifty rows with commas, both kinds of quotes, umlauts."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["Question", "Answer"])
    for number, part in enumerate(PARTS, 11):
        rows.writerows((ask.format(part), say.format(part, number)) for ask, say in WORK.items())
    return out.getvalue().encode()


def test_fifty_rows_answer_after_eight_clicks(browser, tmp_path):
    with Installation(tmp_path / "var") as installed, Tab(browser, installed.address) as tab:
        page = tab.page
        story.sign_in(page, installed.password)
        story.go(page, "Uploads")
        file = {"name": "workshop.csv", "mimeType": "", "buffer": table()}
        page.set_input_files("#id_sent", file)
        page.get_by_role("link", name="Look through workshop.csv").click()
        page.get_by_role("link", name="Freeze a version").click()
        page.get_by_role("button", name="Freeze").click()
        page.get_by_role("link", name="Chat from these answers now, without training").click()
        page.get_by_role("button", name="Deploy").click()
        page.get_by_role("button", name="Chat with it").click()
        ask(page, "how much does a new saddle cost", "A new saddle costs 12,50 €")
        page.get_by_text("from 1 known answer").click()
        page.locator(".source-question", has_text="How much does a new saddle cost?").wait_for()
        ask(page, "Was kostet es, die „fork“ zu prüfen?", "Das Teil „fork“ prüfen wir für 15 €")
        page.locator(".chat-titles [aria-current]", has_text="how much does a new").wait_for()
        assert tab.complaints == []


def ask(page, question, answer):
    message = page.get_by_role("textbox", name="Message")
    message.wait_for()
    attached(page)
    message.fill(question)
    page.keyboard.press("Enter")
    page.locator(story.ANSWER).last.get_by_text(answer).wait_for()
    page.locator(".message-answer .rating").last.wait_for()
