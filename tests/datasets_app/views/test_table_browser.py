"""The table in Chromium, at real size: the drawer, the keys, Back and reload; nothing complains."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.db.models import F

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.models import Action, RowTag
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add
from tests.real_size import ROWS
from tests.story_pages import Tab
from tests.waiting import attached, until

pytestmark = pytest.mark.slow
ROW = "#dataset-table tr[data-row]"
CURRENT = f'{ROW}[aria-current="true"]'
DRAWER = "#drawer #conversation"


@pytest.fixture
def open_tab(browser, live_server, client_of, redis_server, request):
    """Give a function that opens a person's tab; at the end no tab may have complained."""
    tabs = []

    def opened(person, **options):
        options = {"viewport": {"width": 1440, "height": 900}} | options
        tab = Tab(browser, live_server.url, **options)
        cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME].value
        where = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}
        tab.context.add_cookies([where])
        tab.page.set_default_timeout(60_000)
        tabs.append(tab)
        return tab

    yield opened
    for tab in tabs:
        tab.context.close()
    assert [said for tab in tabs for said in tab.complaints] == []


@pytest.fixture
def table(open_tab, real_world, cora):
    """Give a function that opens the table of the big dataset and returns its page."""

    def opened(query=""):
        page = open_tab(cora).page
        page.goto(f"/datasets/{real_world.dataset.pk}/{query}")
        ready(page)
        return page

    return opened


def ready(page):
    page.locator(ROW).first.wait_for()
    attached(page)


def saved(page):
    page.locator("[data-unsaved]:empty").wait_for(state="attached")


def pk_of(row):
    return int(row.get_attribute("data-row"))


def decided(world):
    return world.dataset.conversations.exclude(decision=None)


def test_rows_open_one_after_the_other_beside_the_table(table):
    page = table()
    rows = page.locator(ROW)
    assert not page.locator("#drawer").is_visible()
    for number in (0, 1, 4):  # the second is a conversation of many turns
        rows.nth(number).locator("a.row-link").click()
        page.locator(f'{DRAWER}[data-conversation="{pk_of(rows.nth(number))}"]').wait_for()
        assert page.evaluate("scrollY") == 0
        assert page.locator("#drawer").count() == page.locator("#conversation").count() == 1
        assert page.locator(CURRENT).get_attribute("data-row") == str(pk_of(rows.nth(number)))
    page.locator("#drawer").get_by_role("link", name="Previous").click()
    page.locator(f'{DRAWER}[data-conversation="{pk_of(rows.nth(3))}"]').wait_for()
    page.locator("#drawer").get_by_role("link", name="Next").click()
    page.locator(f'{DRAWER}[data-conversation="{pk_of(rows.nth(4))}"]').wait_for()
    assert page.evaluate("document.activeElement.closest('#drawer a')?.rel") == "next"
    assert page.get_by_role("button", name="Accept").count() == 1
    rows.nth(1).locator("input").check()
    assert page.get_by_role("button", name="Accept").count() == 2
    rows.nth(1).locator("input").uncheck()
    page.keyboard.press("Escape")
    page.locator("#drawer").wait_for(state="hidden")
    rows.nth(2).locator("td").nth(2).click()  # anywhere on the row
    page.locator(f'{DRAWER}[data-conversation="{pk_of(rows.nth(2))}"]').wait_for()
    page.reload()
    ready(page)
    assert not page.locator("#drawer").is_visible()


def test_a_text_without_a_question_shows_its_beginning_beside_the_drawer(open_tab, cora):
    made = create_dataset("Texts", by=cora)
    add(made, [Conversation((Turn("text", f"The {n}th badge opens every door."),)) for n in (4, 5)])
    page = open_tab(cora).page
    page.goto(f"/datasets/{made.pk}/")
    ready(page)
    row = page.locator(ROW).nth(1)
    assert "(no question)" in row.inner_text()
    row.locator("a.row-link").click()
    page.locator(DRAWER).wait_for()
    assert "(no question)" not in row.inner_text()
    assert "5th badge" in row.inner_text()


def test_a_decision_in_the_drawer_goes_on_to_the_next_row(table, real_world):
    page = table()
    rows = page.locator(ROW)
    first, second = pk_of(rows.nth(0)), pk_of(rows.nth(1))
    rows.nth(0).locator("a.row-link").click()
    page.locator(DRAWER).get_by_role("button", name="Exclude").click()
    page.locator(f'{DRAWER}[data-conversation="{second}"]').wait_for()
    saved(page)
    assert list(decided(real_world).values_list("pk", "decision")) == [(first, "exclude")]
    assert "by a person" in rows.nth(0).inner_text()


def test_keys_fifty_milliseconds_apart_decide_every_row_once_and_in_order(table, real_world):
    page = table("?status=review")
    wanted = [pk_of(row) for row in page.locator(ROW).all()[:30]]
    page.keyboard.press("j")
    page.keyboard.type("ar" * 15, delay=50)
    until(lambda: decided(real_world).count() == 30)
    assert [action.filter["ids"] for action in Action.objects.order_by("pk")] == [
        [row] for row in wanted
    ]
    saved(page)
    page.locator("#dataset-summary").get_by_text("Undo “1 conversation excluded”").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Undone: 1 conversation is as before.").wait_for()
    assert decided(real_world).count() == 29
    page.locator(f'{CURRENT}[data-row="{wanted[-1]}"]').wait_for()


@pytest.mark.parametrize("most", [330, pytest.param(ROWS, marks=pytest.mark.chaos)])
def test_a_curator_decides_rows_by_the_thousand_by_key(most, table, real_world):
    page = table("?size=200")
    page.keyboard.press("j")
    page.keyboard.type("aar" * (most // 3))
    until(lambda: decided(real_world).count() == most, 600)  # thousands, on a busy machine too
    acts = Action.objects.order_by("pk").values_list("filter", "kind")
    rows = real_world.dataset.conversations.order_by("position").values_list("pk", flat=True)
    assert [chosen["ids"] for chosen, _ in acts] == [[row] for row in rows[:most]]
    assert [kind for _, kind in acts] == ["keep", "keep", "exclude"] * (most // 3)
    saved(page)
    last = rows[most - 1]  # in the middle of a page, or on the last one: no next page comes
    page.locator(f'{ROW}[data-row="{last}"][data-decided="exclude"]').wait_for()


def lost(route):
    route.abort()


def broken_off(route):
    """Answer as a line that breaks in the middle of the answer does."""
    route.fulfill(status=200, content_type="application/json", body='{"actions": [[')


@pytest.mark.parametrize("fault", [lost, broken_off])
def test_what_does_not_reach_the_server_is_shown_as_it_was(fault, open_tab, real_world, cora):
    tab = open_tab(cora)
    page = tab.page
    page.goto(f"/datasets/{real_world.dataset.pk}/")
    ready(page)
    page.route("**/review/", fault)
    page.keyboard.press("j")
    page.keyboard.type("aaa")
    page.get_by_text("were not saved").wait_for()
    assert page.locator(f"{ROW}[data-decided]").count() == 0
    assert "by a person" not in page.locator("#rows-form").inner_text()
    tab.complaints.clear()  # a browser rightly complains of a request that went nowhere
    page.unroute("**/review/")
    page.keyboard.type("a")
    until(lambda: decided(real_world).count() == 1)
    saved(page)


def test_all_that_match_are_decided_and_taken_back(table, real_world):
    page = table("?status=review")
    number = real_world.dataset.conversations.filter(status="review").count()
    page.get_by_label(f"all {number:,} that match").check()
    page.get_by_role("button", name="Accept").click()
    page.get_by_text(f"{number:,} conversations accepted.").wait_for()
    assert decided(real_world).count() == number
    page.keyboard.press("u")
    page.get_by_text(f"Undone: {number:,} conversations are as before.").wait_for()
    assert decided(real_world).count() == 0


def test_boxes_are_reached_by_tab_and_selected_by_key(table, real_world):
    page = table()
    page.locator("#size").focus()
    seen = []
    for _ in range(16):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.name ?? ''"))
    assert seen.count("row") >= 2
    page.locator(f"{ROW} input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")  # its link
    page.keyboard.press("Tab")  # the next box
    page.keyboard.press("Space")
    assert page.locator("input[name=row]:checked").count() == 2
    page.keyboard.press("r")
    page.get_by_text("2 conversations excluded.").wait_for()
    assert decided(real_world).count() == 2


def test_back_shows_the_table_as_it_is_now_and_nothing_waits(table, real_world):
    page = table()
    page.get_by_role("list", name="Status").get_by_role("link", name="Review").click()
    page.wait_for_url("**status=review**")
    page.get_by_role("link", name="Next 50").click()
    page.wait_for_url("**after=**")
    page.keyboard.press("j")
    page.keyboard.type("a")
    saved(page)
    until(lambda: decided(real_world).count() == 1)
    for address in (re.compile(r"status=review$"), re.compile(r"/datasets/[0-9a-f-]+/$")):
        with page.expect_event("load"):  # the table is fetched again
            page.go_back()
        page.wait_for_url(address)
        ready(page)
        assert page.locator("[aria-busy]").count() == 0
        page.locator(ROW).first.locator("a.row-link").click()
        page.locator(DRAWER).wait_for()
        page.go_back()
        page.locator("#drawer").wait_for(state="hidden")
        assert address.search(page.url)
    page.goto("/datasets/")
    page.go_back()
    ready(page)
    assert page.locator("[aria-busy]").count() == 0
    page.keyboard.press("j")
    page.keyboard.press("r")
    until(lambda: decided(real_world).count() == 2)
    saved(page)


def test_twenty_rows_and_more_stand_on_a_laptops_screen(table):
    page = table()
    seen = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(row => {
             const bar = document.querySelector(".bulk").getBoundingClientRect().top;
             return row.getBoundingClientRect().bottom <= bar; }).length""",
        ROW,
    )
    assert seen >= 20


def test_a_version_is_frozen_and_the_log_is_worked_through(table, real_world):
    page = table()
    page.get_by_role("link", name="Freeze a version").click()
    page.get_by_role("link", name=real_world.version.name).click()
    page.get_by_role("heading", name=real_world.version.name).wait_for()
    page.get_by_text(f"{real_world.version.counts['rows']:,}").first.wait_for()
    page.goto("/logs/")
    page.locator("#log-table .rating button").first.click()
    page.locator('#log-table .rating [aria-pressed="true"]').wait_for()
    page.locator("#log-table input[name=row]").first.check()
    page.locator("#log-dataset").select_option(label="Real size")
    page.get_by_role("button", name="Add to dataset").click()
    page.get_by_text("1 exchange added").wait_for()
    added = real_world.dataset.conversations.filter(origin="chat")
    assert added.annotate(last=F("position")).get().last == ROWS + 1


def test_a_row_is_edited_by_key_and_a_slip_loses_nothing(table, real_world):
    page = table()
    rows = page.locator(ROW)
    page.keyboard.press("j")
    page.keyboard.press("e")
    words = page.locator("#row-edit textarea")
    words.nth(0).wait_for()
    assert page.evaluate("document.activeElement.name") == "text"
    words.nth(1).fill("Take the stairs to room nine, it is on the left.")
    page.keyboard.press("Escape")
    assert "once more" in page.locator("#row-edit [data-said]").inner_text()
    page.once("dialog", lambda asked: asked.dismiss())
    rows.nth(2).locator("a.row-link").click()
    assert words.nth(1).input_value().startswith("Take the stairs")
    words.nth(1).focus()
    page.keyboard.press("Control+Enter")
    page.locator(f"{DRAWER} details.change").wait_for()
    rows.nth(0).get_by_text("Take the stairs").wait_for(state="attached")
    row = real_world.dataset.conversations.order_by("position").first()
    assert (row.revision, row.turns[1]["text"][:4]) == (2, "Take")
    page.locator('button[data-key="u"]').wait_for()
    page.locator(f"{CURRENT} a.row-link:focus").wait_for()
    page.keyboard.press("u")
    page.locator('button[data-key="u"]').wait_for(state="detached")
    row.refresh_from_db()
    assert (row.revision, "Take" in row.text) == (3, False)


@pytest.mark.parametrize("most", [60, pytest.param(1_010, marks=pytest.mark.chaos)])
def test_an_hour_of_a_curator_leaves_everything_where_it_should_be(most, table, real_world):
    """Decide, pass over, edit, tag and undo by keys alone, then look again in three ways."""
    page = table("?size=200")
    rows = list(real_world.dataset.conversations.order_by("position").values_list("pk", flat=True))
    wanted: dict[int, str | None] = {}
    tagged, edited = set(), set()
    page.keyboard.press("j")
    for number, row in enumerate(rows[:most]):
        if number % 25 == 7:
            edited.add(row)
            _edit_by_key(page, row, number)
        if number % 20 == 3:
            tagged.add(row)
            page.keyboard.type("tlater", delay=50)
            page.keyboard.press("Enter")
        wanted[row] = {"a": "keep", "r": "exclude", "j": None}[key := "aaraj"[number % 5]]
        page.keyboard.type(key, delay=50)
    until(lambda: decided(real_world).count() == most - most // 5, 120)
    saved(page)
    assert _decisions(real_world, most) == wanted
    assert set(_tagged(real_world)) == tagged
    changed = real_world.dataset.conversations.filter(revision__gt=1)
    assert set(changed.values_list("pk", flat=True)) == edited
    for back in range(1, 3):
        last = [row for row in wanted if wanted[row]][-1]
        wanted[last] = None
        page.keyboard.press("u")
        until(lambda: _decisions(real_world, most) == wanted, 60)
        page.locator(f'{CURRENT}[data-row="{last}"] a:focus').wait_for()
        assert Action.objects.filter(kind="undo").count() == back
    _look_again(page, real_world, wanted, tagged)


def test_undo_goes_back_to_the_page_of_the_row(table, real_world):
    page = table("?size=50")
    rows = list(real_world.dataset.conversations.order_by("position").values_list("pk", flat=True))
    page.locator(f'{ROW}[data-row="{rows[48]}"] a.row-link').focus()
    page.keyboard.type("rar")
    page.locator(f'{CURRENT}[data-row="{rows[51]}"]').wait_for()
    for at in (50, 49):
        page.keyboard.press("u")
        page.locator(f'{CURRENT}[data-row="{rows[at]}"] a:focus').wait_for()
    until(lambda: list(decided(real_world).values_list("pk", flat=True)) == [rows[48]])
    assert page.locator(ROW).last.get_attribute("data-row") == str(rows[49])
    page.keyboard.type("jr")
    until(lambda: decided(real_world).filter(pk=rows[50]).exists())
    saved(page)
    page.go_back()
    ready(page)
    assert page.locator(ROW).last.get_attribute("data-row") == str(rows[49])


def test_a_tag_typed_while_the_next_page_comes_decides_nothing(table, real_world):
    page = table("?size=50")
    page.locator(ROW).last.locator("a.row-link").focus()
    page.keyboard.type("jtlaxyter")
    for _ in range(5):
        page.keyboard.press("Backspace")
    page.keyboard.type("ter")
    page.keyboard.press("Enter")
    page.keyboard.type("r")
    row = real_world.dataset.conversations.order_by("position")[50]
    until(lambda: decided(real_world).count() == 1)
    saved(page)
    assert _decisions(real_world, 51)[row.pk] == "exclude"
    assert list(_tagged(real_world)) == [row.pk]
    page.locator(f'{CURRENT}[data-row="{row.pk + 1}"]').wait_for()


def _look_again(page, world, wanted, tagged):
    """Read the table anew, find what was tagged, and go Back."""
    page.reload()
    ready(page)
    shown = {pk_of(row): row.get_attribute("data-decided") for row in page.locator(ROW).all()}
    assert shown == {row: wanted.get(row) for row in shown}
    page.goto(f"/datasets/{world.dataset.pk}/?tag=later&size=200")
    ready(page)
    assert [pk_of(row) for row in page.locator(ROW).all()] == sorted(tagged)[:200]
    page.go_back()
    ready(page)
    assert {pk_of(row) for row in page.locator(ROW).all()} == set(shown)


def _edit_by_key(page, row, number):
    """Write an answer beside the table, and wait until the cursor is on its row again."""
    page.locator(f'{CURRENT}[data-row="{row}"]').wait_for()
    page.keyboard.press("e")
    page.keyboard.type("arj")  # too soon for the fields: it decides nothing
    page.locator("#row-edit textarea:focus").wait_for()
    page.keyboard.press("Control+End")
    page.keyboard.type(f" Seen as number {number}.")
    page.keyboard.press("Control+Enter")
    page.locator(f'{DRAWER}[data-conversation="{row}"] details.change').wait_for()
    page.locator(f'{CURRENT}[data-row="{row}"] a.row-link:focus').wait_for()


def _decisions(world, most):
    rows = world.dataset.conversations.order_by("position").values_list("pk", "decision")
    return dict(rows[:most])


def _tagged(world):
    return RowTag.objects.filter(tag__name="later").values_list("conversation", flat=True)


@pytest.mark.checklist(164)
def test_the_panel_narrows_the_table_by_click_and_by_keys(table):
    page = table()
    page.locator("[data-facets]").click()
    kept = page.locator('#facets a[data-facet="kept"]')
    kept.click()
    page.locator('#dataset-table[data-here="status=kept"]').wait_for()
    page.locator('#facets a[data-facet="kept"][aria-current]').wait_for()
    steps = page.get_by_role("group", name=re.compile("Length")).get_by_role("link")
    steps.nth(2).focus()
    page.keyboard.press("Shift+ArrowRight")
    assert page.get_by_label("Length in words to").input_value() == "31"
    page.keyboard.press("Enter")
    page.locator('#dataset-table[data-here="status=kept&words=8-31"]').wait_for()
    page.go_back()
    page.locator('#dataset-table[data-here="status=kept"]').wait_for()
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
