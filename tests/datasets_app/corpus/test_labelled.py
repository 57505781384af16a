from __future__ import annotations

from datasets_app.corpus.rules.registry import RULES
from tests.datasets_app.corpus.labelled import FILE, kinds, labelled, measured, table

FITTED, UNSEEN = labelled(unseen=False), labelled(unseen=True)
DOMAINS = {"talk", "call", "faq", "legal", "medical", "code", "table", "shop", "math", "doc"}


def test_the_labelled_set_is_large_mixed_and_small_on_disk():
    rows = [*FITTED, *UNSEEN]
    assert len(rows) >= 600
    assert len(UNSEEN) >= len(rows) / 5
    assert FILE.stat().st_size < 400_000
    languages = [row["language"] for row in rows]
    assert sum(languages.count(language) >= 40 for language in set(languages)) >= 12
    assert {row["domain"] for row in rows} == DOMAINS
    assert min(kinds(rows).values()) >= 100
    named = {rule for row in rows for rule in row.get("wrong", ())}
    assert named == set(RULES)
    assert len({str(row["turns"]) for row in rows}) == len(rows)


def test_a_rule_that_sets_rows_aside_is_hardly_ever_wrong_and_misses_little():
    found = measured(unseen=False)
    for rule, agreement in found.rules.items():
        assert agreement.right >= 12, rule
        assert (agreement.precision >= 0.95, agreement.recall >= 0.85) == (True, True), table(found)


def test_no_language_is_treated_worse():
    found = measured(unseen=False)
    assert len(found.languages) >= 12
    assert all(one.precision >= 0.9 for one in found.languages.values()), table(found)


def test_the_rows_kept_out_of_the_fitting_show_the_same():
    found = measured(unseen=True)
    everything = found.rules.values()
    right, false = sum(one.right for one in everything), sum(one.false for one in everything)
    missed = sum(one.missed for one in everything)
    assert right / (right + false) >= 0.95, table(found)
    assert right / (right + missed) >= 0.85, table(found)
    assert [name for name, one in found.languages.items() if one.false] == [], table(found)
