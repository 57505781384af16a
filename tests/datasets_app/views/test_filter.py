"""Conditions put together line by line: in the address, as a sentence, for deeds and exports."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.urls import reverse

from datasets_app.models import Action, Decision
from datasets_app.selectors import builder
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import curation, tagging
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WHERE = "status.is.excluded;quality.most.99|tag.is.late;turns.is.2"


@pytest.fixture
def dataset(cora, theo):
    """Return 32 rows: the second and third excluded by Theo, the third and fourth tagged."""
    made = support_dataset(cora)
    pks = dict(made.conversations.values_list("position", "pk"))
    curation.decide_rows(made, [pks[2], pks[3]], Decision.EXCLUDE, by=theo)
    tagging.tag_rows(made, [pks[3], pks[4]], "late", has=True, by=cora)
    made.refresh_from_db()
    return made


def found(dataset, where):
    rows = RowFilter.from_query({"where": where}).rows(dataset)
    return set(rows.values_list("position", flat=True))


def address(dataset, name="dataset-filter"):
    return reverse(name, args=[dataset.pk])


def sent(*lines, **more):
    """Return what the form sends: join, field before and now, operator and value of each line."""
    names = ("join", "was", "field", "op", "value")
    columns = {name: [line[place] for line in lines] for place, name in enumerate(names)}
    return {"built": "1", **columns, **more}


def test_the_rows_meet_all_groups_and_any_of_each(dataset):
    for where, places in {
        WHERE: {3, 31, 32},
        "status.is.excluded|tag.is.late": {2, 3, 4, 31, 32},
        "status.not.kept;tag.not.late": {2, 31, 32},
        "tag.is.none;finding.is.too_short|finding.is.empty": {31, 32},
        "finding.not.none;quality.least.0": {31, 32},
        "decided.is.THEO|by.is.nobody-here": {2, 3},
        "decided.not.none;language.not.de": {2, 3},
        "text.holds.returns": {32},
        "text.lacks.parcel;text.lacks.password": {32},
        "source.lacks.faq;words.most.6": {31, 32},
        "changed.since.2001-01-01;status.is.excluded;tag.is.late": {3},
        "changed.until.2001-01-01": set(),
        "repeats.is.any|side.is.train|origin.is.chat|edited.is.yes": set(),
    }.items():
        assert found(dataset, where) == places, where


def test_an_address_has_one_spelling_and_leaves_out_what_it_does_not_understand():
    assert builder.read_where(WHERE) == WHERE
    for where, read in {
        "nonsense.is.1;status.is.kept": "status.is.kept",
        "status.is.open|status.is.kept": "status.is.kept",
        "status.least.kept;quality.holds.1;quality.least.x;changed.on.2026-02-30": "",
        "quality.least.99999999999": "",
        "quality.least.0070": "quality.least.70",
        "status.is.Kept;language.is.German": "status.is.kept;language.is.de",
        "tag.is.a%3Bb%7Cc%25d": "tag.is.a%3Bb%7Cc%25d",
        ";|;": "",
    }.items():
        assert builder.read_where(where) == read
    (group,) = builder.read_groups("tag.is.a%3Bb%7Cc%25d")
    assert group[0].value == "a;b|c%d"
    many = ";".join(["status.is.kept"] * 500)
    assert len(builder.read_groups(many)) == builder.MOST_CONDITIONS


def test_it_reads_as_a_sentence():
    assert builder.sentence(builder.read_groups(WHERE)) == (
        "status is excluded and (quality is at most 99 or tag is “late”) and turns is 2"
    )
    two = "language.is.none|side.not.none"
    assert builder.sentence(builder.read_groups(two)) == (
        "language is unknown or side is not none yet"
    )


@pytest.mark.slow
def test_a_curator_puts_it_together_and_sees_the_rows(dataset, client_of, cora):
    curator = client_of(cora)
    page = curator.get(address(dataset))
    assert [line.field.name for line in page.context["lines"]] == ["status"]
    first = ("and", "status", "status", "is", "excluded")
    page = curator.get(address(dataset), sent(first, do="add"))
    assert len(page.context["lines"]) == 2
    page = curator.get(
        address(dataset), sent(first, ("or", "quality", "tag", "least", "70")), headers=HTMX
    )
    assert [(line.operator, line.value) for line in page.context["lines"]][1] == ("is", "")
    assert '<option value="late">' in page.content.decode()
    page = curator.get(
        address(dataset), sent(first, ("or", "quality", "quality", "most", "x"), do="show")
    )
    assert page.status_code == 422
    assert "Write a whole number for quality." in page.content.decode()
    page = curator.get(
        address(dataset), sent(first, ("or", "quality", "quality", "most", "x"), do="drop:1")
    )
    assert len(page.context["lines"]) == 1
    shown = curator.get(
        address(dataset), sent(first, ("or", "tag", "tag", "is", "Late"), do="show", sort="latest")
    )
    assert shown.url.endswith("?where=status.is.excluded%7Ctag.is.late&sort=latest")
    table = curator.get(shown.url)
    assert table.context["page"].matching.number == 5
    assert [row.position for row in table.context["page"].rows] == [32, 31, 4, 3, 2]
    assert "tag is “late”" in table.content.decode()
    by_htmx = curator.get(address(dataset), sent(first, do="show"), headers=HTMX)
    assert by_htmx["HX-Push-Url"].endswith("?where=status.is.excluded")
    assert by_htmx["HX-Retarget"] == "#dataset-table"
    assert by_htmx.context["page"].matching.number == 4
    again = curator.get(address(dataset), QueryDict(shown.url.partition("?")[2]).dict())
    assert [line.join for line in again.context["lines"]] == ["and", "or"]


@pytest.mark.slow
def test_deeds_exports_and_views_mean_the_rows_that_are_shown(dataset, client_of, cora, mia):
    curator, query = client_of(cora), "where=status.is.excluded%7Ctag.is.late"
    decide = f"{address(dataset, 'rows-decide')}?{query}"
    deed = {"decision": "tag", "tag": "seen", "scope": "matching", "previewed": 5}
    assert curator.post(decide, {**deed, "previewed": 6}).status_code == 422
    curator.post(decide, deed)
    assert Action.objects.latest("pk").done == 5
    export = curator.get(f"{address(dataset, 'dataset-export')}?{query}").content.decode()
    assert "those where <bdi>status is excluded or tag is “late”</bdi>" in export
    replace = curator.get(f"{address(dataset, 'words-replace')}?{query}").content.decode()
    assert "status is excluded or tag is “late”" in replace
    curator.post(f"{address(dataset, 'view-save')}?{query}", {"name": "Late or out"})
    assert "where=status.is.excluded%7Ctag.is.late" in dataset.views.get().query
    assert client_of(mia).get(address(dataset)).status_code == 403
