"""The pages of a dataset of real size, asked for without a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.models import Action
from tests.conftest import FIRST_ID
from tests.real_size import LOGGED, ROWS

HTMX = {"HX-Request": "true"}


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def test_the_world_is_of_real_size(real_world):
    assert real_world.dataset.conversations.count() == ROWS > 3_000
    assert real_world.dataset.conversations.order_by("pk").first().pk > FIRST_ID > 1_000_000
    assert real_world.deployment.log_entries.count() == LOGGED > 1_000


@pytest.mark.slow
def test_every_page_of_the_dataset_writes_numbers_for_machines(real_world, curator):
    dataset, version = real_world.dataset, real_world.version
    row = dataset.conversations.order_by("-position").first()
    table = reverse("dataset-detail", args=[dataset.pk])
    for address in (
        *(table, f"{table}?after=2000,{row.pk}&size=200", f"{table}?sort=longest&status=review"),
        reverse("conversation-detail", args=[dataset.pk, row.pk]),
        *(reverse(f"dataset-{name}", args=[dataset.pk]) for name in ("history", "rules")),
        *(reverse(name, args=[dataset.pk]) for name in ("dataset-settings", "version-list")),
        *(reverse("version-detail", args=[version.pk]), reverse("dataset-list")),
        *(reverse("log-list"), reverse("home"), reverse("upload-list")),
    ):
        assert curator.get(address).status_code == 200, address
        assert curator.get(address, headers=HTMX).status_code == 200, address


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["order", "quality", "longest"])
def test_the_table_says_where_it_is_and_leads_back(sort, real_world, curator):
    table = reverse("dataset-detail", args=[real_world.dataset.pk])
    seen, query = [], f"sort={sort}&size=200"
    while query:
        page = curator.get(f"{table}?{query}").context["page"]
        seen.append([row.pk for row in page.rows])
        first, last = len(seen) * 200 - 199, min(len(seen) * 200, ROWS)
        assert page.places == f"{first:,}–{last:,}"
        query = page.following
    for rows in reversed(seen[:-1]):
        page = curator.get(f"{table}?{page.before}").context["page"]
        assert [row.pk for row in page.rows] == rows
    assert page.before is None
    told = " ".join(curator.get(f"{table}?{page.following}").content.decode().split())
    assert f"201–400 of {ROWS:,}" in told
    assert "Previous 200" in told


def test_one_row_of_many_is_decided_by_the_form_that_the_page_shows(real_world, curator):
    dataset = real_world.dataset
    row = dataset.conversations.order_by("-position").first()
    page = curator.get(reverse("conversation-detail", args=[dataset.pk, row.pk])).content.decode()
    assert f'name="row" value="{row.pk}"' in page
    body = {"decision": "exclude", "scope": "selected", "row": row.pk}
    assert curator.post(reverse("rows-decide", args=[dataset.pk]), body).status_code == 302
    row.refresh_from_db()
    assert row.status == "excluded"


@pytest.mark.slow
def test_all_that_match_are_decided_by_the_number_that_the_page_shows(real_world, curator):
    dataset = real_world.dataset
    page = curator.get(reverse("dataset-detail", args=[dataset.pk])).content.decode()
    assert f'name="previewed" value="{ROWS}"' in page
    assert f"all {ROWS:,} that match" in " ".join(page.split())
    body = {"decision": "keep", "scope": "matching", "previewed": ROWS}
    curator.post(reverse("rows-decide", args=[dataset.pk]), body)
    assert dataset.conversations.filter(decision="keep").count() == ROWS


def test_decisions_of_a_review_become_actions_in_their_order(real_world, curator):
    dataset = real_world.dataset
    rows = list(dataset.conversations.order_by("position").values_list("pk", flat=True)[:5])
    sent = [f"{'keep' if row % 2 else 'exclude'}:{row}" for row in reversed(rows)]
    address = reverse("rows-review", args=[dataset.pk])
    made = curator.post(address, {"row": sent}).json()["actions"]
    assert [row for row, _ in made] == rows[::-1]
    actions = Action.objects.order_by("pk")
    assert [action.filter["ids"] for action in actions] == [[row] for row in reversed(rows)]
    again = curator.post(address, {"row": sent}).json()["actions"]
    assert again == []
    assert Action.objects.count() == 5
    there_and_back = [f"exclude:{rows[0]}", f"keep:{rows[0]}", f"exclude:{rows[0]}"]
    made = curator.post(address, {"row": there_and_back}).json()["actions"]
    newest = Action.objects.order_by("-pk").values_list("pk", flat=True)[: len(made)]
    assert made == [[rows[0], action] for action in reversed(newest)]
    assert len(made) >= 2


@pytest.mark.parametrize("rows", [[], ["keep:x"], ["drop:1"], ["keep:1"] * 201])
def test_a_review_without_decisions_or_with_too_many_is_refused(rows, real_world, curator):
    address = reverse("rows-review", args=[real_world.dataset.pk])
    answer = curator.post(address, {"row": rows})
    assert answer.status_code == 422
    assert "keep:1234567" in answer.json()["error"]


def test_who_comes_by_get_where_a_form_is_sent_sees_the_table(real_world, curator):
    dataset = real_world.dataset
    table = reverse("dataset-detail", args=[dataset.pk])
    for address in (
        reverse("rows-decide", args=[dataset.pk]),
        reverse("action-undo", args=[dataset.pk, 1_234_567]),
    ):
        answer = curator.get(f"{address}?status=review&size=100")
        assert (answer.status_code, answer["Location"]) == (302, f"{table}?status=review&size=100")
