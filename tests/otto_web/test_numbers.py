"""Numbers reach machines as they are: only the filters for people write thousands apart."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.formats import localize

from otto_web.lib.access import Role
from tests.conftest import FIRST_ID
from tests.machine_numbers import localised


def shown(source, **context):
    return Template("{% load otto %}" + source).render(Context(context))


@pytest.mark.parametrize("number", [1_234_567, 1234.5, 0.1, -9_876_543.25])
def test_a_bare_number_is_written_as_a_machine_reads_it(number):
    assert shown("{{ number }}", number=number) == localize(number) == str(number)
    assert float(shown('{{ number|stringformat:"s" }}', number=number)) == number


def test_a_count_for_people_has_its_thousands_apart():
    assert shown("{{ number|count }}", number=1_234_567) == "1,234,567"


def test_no_template_asks_django_for_a_persons_spelling():
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        for word in ("|localize", "intcomma", "{% localize", '|count }}"', '|short_count }}"'):
            assert word not in text, f"{path.name}: {word}"


@pytest.mark.parametrize(
    "html",
    [
        '<input name="row" value="1,234,567">',
        '<a href="/datasets/1,234/">x</a>',
        '<form hx-post="/rows/?n=1,000">',
        '<tr data-row="3,002">',
        '<p id="row-1,234">',
        '<label for="row-1,234">',
        '<progress max="12,345.6">',
        '<script type="application/json">{"id": "1,234"}</script>',
    ],
)
def test_a_number_for_people_in_a_machines_place_is_found(html):
    assert localised(html)


@pytest.mark.parametrize(
    "html",
    [
        '<td aria-label="1,234 rows">1,234</td>',
        '<input value="1234567">',
        '<a href="?after=1234%2C1234567">',
        '<polyline points="100,200 300,400">',
        '<input value="1,2 and 3">',
    ],
)
def test_a_number_for_people_in_their_place_is_left_alone(html):
    assert localised(html) == []


def test_rows_of_the_tests_have_ids_as_large_as_those_in_use(cora):
    assert cora.pk > FIRST_ID
    assert cora.groups.get().name == Role.CURATOR.group
