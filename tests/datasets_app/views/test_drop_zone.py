"""The drop zone in a real browser: files arrive in pieces, pause, go on, and are taken back."""

from __future__ import annotations

import pytest
from django.conf import settings as live_settings

from datasets_app.models import Upload
from datasets_app.services.receiving import part_path
from otto_web.lib.work.states import State

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
BODY = b'{"input": "Where is my hat?", "output": "It is on its way."}\n' * 4000


@pytest.fixture
def page(browser, live_server, client_of, cora, settings):
    settings.OTTO_CHUNK_BYTES = 60_000
    session = client_of(cora).cookies[live_settings.SESSION_COOKIE_NAME].value
    context = browser.new_context()
    context.add_cookies(
        [{"name": live_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    found = context.new_page()
    found.set_default_timeout(60_000)
    found.goto(f"{live_server.url}/uploads/")
    found.wait_for_selector("[data-plain]", state="hidden")
    yield found
    context.close()


def choose(page, *names, body=BODY):
    files = [{"name": name, "mimeType": "text/plain", "buffer": body} for name in names]
    page.set_input_files("#id_sent", files)


@pytest.mark.checklist(38)
def test_several_files_arrive_and_appear_in_the_list(page):
    choose(page, "a.jsonl", "b.jsonl", "c.jsonl")
    page.get_by_text("arrived; the list below tells what came of it").nth(2).wait_for()
    page.get_by_role("link", name="c.jsonl", exact=True).wait_for()
    found = Upload.objects.order_by("name")
    assert [upload.name for upload in found] == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert {upload.state for upload in found} == {State.QUEUED}
    assert {part_path(upload.pk).read_bytes() for upload in found} == {BODY}


def test_a_file_chosen_before_the_script_came_is_sent_when_it_comes(page):
    held = []
    hold = lambda route: held.append(route)  # noqa: E731, PLW0108 -- it is marked by playwright
    page.route("**/tus_file*.js", hold)  # upload.js imports it
    with page.expect_request("**/tus_file*.js"):
        page.reload(wait_until="commit")
    choose(page, "early.jsonl")
    held[0].continue_()
    page.get_by_text("arrived; the list below tells what came of it").wait_for()
    assert Upload.objects.get().name == "early.jsonl"


def cut_off_after_two_pieces(page):
    sent = []

    def answer(route):
        sent.append(route)
        if route.request.method == "PATCH" and len(sent) > 3:
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/tus/**", answer)


def test_a_paused_file_goes_on_after_a_reload_with_the_bytes_that_are_missing(page, tmp_path):
    cut_off_after_two_pieces(page)
    file = tmp_path / "big.jsonl"  # a file of the disk keeps its modified time, as people's do
    file.write_bytes(BODY)
    page.set_input_files("#id_sent", file)
    page.get_by_text("connection lost").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("paused at").wait_for()
    half = Upload.objects.get()
    assert 0 < half.offset < half.size
    page.unroute("**/uploads/tus/**")
    page.reload()
    page.get_by_text("choose the same file again").wait_for()
    page.wait_for_selector("[data-plain]", state="hidden")
    page.set_input_files("#id_sent", file)
    page.get_by_text("arrived; the list below tells what came of it").wait_for()
    whole = Upload.objects.get()
    assert (whole.pk, whole.state) == (half.pk, State.QUEUED)
    assert part_path(whole.pk).read_bytes() == BODY


def test_a_cancelled_file_is_gone(page):
    cut_off_after_two_pieces(page)
    choose(page, "big.jsonl")
    page.get_by_text("connection lost").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled;").wait_for()
    upload = Upload.objects.get()
    assert upload.state == State.CANCELLED
    assert not part_path(upload.pk).exists()


def test_a_full_disk_is_called_a_full_disk_and_the_file_goes_on_when_there_is_room(page, settings):
    reserve = settings.OTTO_DISK_RESERVE_BYTES
    settings.OTTO_DISK_RESERVE_BYTES = 2**62
    choose(page, "big.jsonl")
    sentence = "the disk takes nothing now, trying again: The disk of this installation is nearly"
    page.get_by_text(sentence).wait_for()
    assert page.get_by_text("connection lost").count() == 0
    settings.OTTO_DISK_RESERVE_BYTES = reserve
    page.get_by_text("arrived; the list below tells what came of it").wait_for()
    assert part_path(Upload.objects.get().pk).read_bytes() == BODY


def test_a_server_that_answers_is_not_called_a_lost_connection(page):
    page.route("**/uploads/tus/", lambda route: route.fulfill(status=429, body="Let one finish."))
    choose(page, "big.jsonl")
    page.get_by_text("not taken yet, trying again: Let one finish.").wait_for()


def test_a_refused_file_says_why_beside_its_name(page, settings):
    settings.OTTO_UPLOAD_LIMIT_BYTES = 1000
    choose(page, "big.jsonl")
    page.get_by_text("Split it and upload the parts").wait_for()
