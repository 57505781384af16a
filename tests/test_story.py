"""The whole loop in a browser, against the processes of `manage.py up` and nothing else."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests import looking
from tests import story_pages as story
from tests.failpoints import Failpoint
from tests.otto_web.installation import Installation
from tests.story_pages import Tab
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
STEPS, HELD_AT = 300, 120
WAITS = {"OTTO_LEASE_SECONDS": "10", "OTTO_REAPER_SECONDS": "3", "OTTO_BACKOFF_SECONDS": "1"}
HELD = {"DJANGO_SETTINGS_MODULE": "tests.settings_held"}


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Hold the first trainer after its first figures and at its sixth checkpoint, then the engine.

    It is held in the middle of its first answer.
    """
    folder, orders = tmp_path_factory.mktemp("held"), ["trainer.points:hold@3"]
    orders += ["trainer.checkpointed:hold@6", "engine.emit:hold@6"]
    points = [Failpoint(folder, order.partition(":")[0], order, orders) for order in orders]
    yield points
    for point in points:
        point.release_all()


@pytest.fixture(scope="module")
def installed(tmp_path_factory, held):
    """One installation, empty at first; the story fills it and the other tests look at it."""
    env = WAITS | HELD | held[0].env
    with Installation(tmp_path_factory.mktemp("story") / "var", **env) as installation:
        yield installation


@pytest.fixture(scope="module")
def tab(browser, installed):
    """The first admin's tab, signed in with the password that `up` printed."""
    with Tab(browser, installed.address, viewport={"width": 1440, "height": 900}) as found:
        story.sign_in(found.page, installed.password)
        yield found


@pytest.mark.checklist(90, 91, 93, 132, 203, 220)
def test_from_an_upload_to_the_next_training_set(tab, installed, held):
    page = tab.page
    page.get_by_role("button", name="Try with sample data").wait_for()
    upload_and_look(page)
    curate(page)
    story.freeze(page)
    page.get_by_role("link", name="Train on this version").click()
    story.train(page, steps=STEPS, evaluate_every=60, checkpoint_every=20)
    watch(page, *held[:2])
    assert tab.complaints == []
    survive(page, installed)
    assert not [said for said in tab.complaints if "Content Security Policy" in said]
    tab.complaints.clear()  # a browser rightly complains of a web server that is gone
    finish(page)
    chat(page, held[2])
    send_back(page)
    assert tab.complaints == []
    tab.is_told = True


def upload_and_look(page):
    story.upload(page, "shop.zip", story.shop_zip())
    page.get_by_text(f"{story.CONVERSATIONS} conversations loaded into shop").wait_for()
    assert story.reason_of(page, story.EVIL)[0] == "skipped"
    assert "leave its folder" in story.reason_of(page, story.EVIL)[1]
    assert story.reason_of(page, story.BROKEN)[0] == "failed"
    assert "checksum" in story.reason_of(page, story.BROKEN)[1]
    page.get_by_role("link", name="Look through the conversations").click()
    page.locator(story.ROW).first.wait_for()


def curate(page):
    before = story.chips(page, "Status")
    assert before["All"] == story.CONVERSATIONS
    echoes = story.chips(page, "Reasons")["echo"]
    story.filter_by_reason(page, "echo")
    assert page.locator(story.ROW).count() == echoes > 1
    story.exclude_one_by_key_and_take_it_back(page)
    page.get_by_role("link", name="Clear").click()
    unfinished = story.chips(page, "Reasons")["incomplete"]
    story.filter_by_reason(page, "incomplete")
    story.exclude_all_that_match(page, unfinished)
    page.get_by_role("link", name="Clear").click()
    after = story.chips(page, "Status")
    assert after["Excluded"] == before["Excluded"] + unfinished
    assert after["Kept"] == before["Kept"]


def watch(page, early, late):
    """The figures grow by themselves; a reload shows what was shown."""
    page.evaluate("window.isSamePage = true")
    early.reached()
    assert story.wait_for_step(page, 1) < HELD_AT
    early.release()
    late.reached()
    second = story.wait_for_step(page, HELD_AT)
    page.locator("[data-chart-state]", has_text="live").wait_for()
    assert page.evaluate("window.isSamePage")
    page.reload()
    page.locator("[data-chart-state]", has_text="live").wait_for()
    assert story.step(page) >= second
    seen = story.curve(page)
    page.reload()
    again = story.curve(page)
    shared = seen.keys() & again.keys()
    assert len(shared) > 5
    assert {one: again[one] for one in shared} == {one: seen[one] for one in shared}


def survive(page, installed):
    """Web, worker and trainer are killed at once; all come back and the run goes on."""
    kinds = (("run_web",), ("-Q", "train"), ("execute_run",))
    dead = [one for words in kinds for one in installed.find(*words)]
    assert len(dead) >= 3
    for one in dead:
        one.kill()
    page.locator("#connection", has_text="offline").wait_for()
    for words in kinds:
        until(lambda words=words: set(installed.find(*words)) - set(dead))
    page.locator("#run-live").get_by_text(re.compile("started [23] times")).wait_for()
    page.locator("#connection", has_text="live").wait_for()


def finish(page):
    page.get_by_role("heading", name="Verdict").wait_for(timeout=180_000)
    assert story.step(page) == STEPS
    said = page.locator("#run-live .notice-warn p").all_inner_texts()
    assert len(said) == len(set(said)) > 0  # the second attempt repeats nothing
    shown = story.curve(page)
    assert (min(shown), max(shown)) == (0, STEPS)
    losses = [float(trained) for trained, _held in shown.values() if trained != "–"]
    assert losses[-1] < losses[0] - 1.5
    page.get_by_role("heading", name="Validation questions").wait_for()


def chat(page, held):
    story.deploy(page, "shop-help")
    story.go(page, "Chat")
    attached(page)
    page.get_by_label("Message").fill("Hello! Do you have a store in Millhaven?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/*-*/")
    grown = story.see_answer_grow(page, held)
    assert len(grown) > 1
    assert all(later.startswith(earlier) for earlier, later in pairwise(grown))
    page.reload()
    assert page.locator(story.ANSWER).last.text_content() == grown[-1]
    page.locator(".rating").last.get_by_role("button", name="Good answer").click()
    page.locator('.rating [aria-pressed="true"]').wait_for()


def send_back(page):
    story.add_to_dataset(page, "shop")
    page.get_by_role("link", name="shop", exact=True).first.click()
    page.get_by_text("Origin: chat").wait_for()
    story.go(page, "Datasets")
    page.get_by_role("link", name="shop", exact=True).click()
    assert story.chips(page, "Status")["All"] == story.CONVERSATIONS + 1
    story.go(page, "Home")
    page.get_by_role("heading", name="Train the next model").wait_for()
    page.get_by_role("button", name="Freeze and go on").wait_for()


@pytest.mark.checklist(417)
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_every_page_can_be_read_by_everybody(browser, installed, tab, width, theme):
    if not tab.is_told:
        pytest.skip("The pages are those that the story leaves: run it first.")
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
    state = tab.context.storage_state()
    with Tab(browser, installed.address, storage_state=state, **options) as seen:
        faults = {}
        for name, path in looking.pages(seen.page).items():
            faults[name] = looking.faults(seen, path)
            looking.shoot(seen, f"{name}-{width}-{theme}")
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.checklist(4)
def test_one_text_becomes_a_model_without_any_script(browser, installed, tab, held):
    for point in held:
        point.release()
    with Tab(browser, installed.address, java_script_enabled=False) as plain:
        page = plain.page
        story.sign_in(page, installed.password)
        load_plain(page)
        curate_plain(page)
        train_plain(page)
        assert plain.complaints == []


def load_plain(page):
    story.go(page, "Uploads")
    text = story.one_text().encode()
    page.set_input_files("#id_sent", {"name": "walks.txt", "mimeType": "", "buffer": text})
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/uploads/*-*/")
    reload_until(page, page.get_by_text("loaded into walks"))


def curate_plain(page):
    page.get_by_role("link", name="Look through the conversations").click()
    everything = story.chips(page, "Status")["All"]
    page.get_by_role("searchbox").fill(story.phrase_of(story.one_text()))
    page.get_by_role("button", name="Apply").click()
    found = story.chips(page, "Status")["All"]
    assert 0 < found < everything
    page.locator(f"{story.ROW} input").first.check()
    page.get_by_role("button", name="Exclude").click()
    page.get_by_text("1 conversation excluded").first.wait_for()
    page.get_by_role("link", name="Freeze a version").click()
    page.get_by_role("button", name="Freeze").click()
    page.wait_for_url("**/versions/*-*/")
    reload_until(page, page.get_by_role("link", name="Train on this version"))


def train_plain(page):
    page.get_by_role("link", name="Train on this version").click()
    page.get_by_role("button", name="Tiny").click()
    page.get_by_label("Unit").select_option("steps")
    page.get_by_label("How long").fill("20")
    page.get_by_role("button", name="Estimate").click()
    page.get_by_text(re.compile("Ready to train|It can be trained")).wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/runs/*-*/")
    reload_until(page, page.get_by_role("heading", name="Verdict"), seconds=90)
    page.get_by_role("heading", name="Validation").wait_for()
    page.get_by_role("link", name="walks").last.click()
    page.get_by_text("it completes text, it does not chat").wait_for()


def reload_until(page, wanted, seconds=60):
    """Look again and again, as a person without scripts does."""

    def look():
        page.reload()
        return wanted.first.is_visible()

    until(look, seconds)
