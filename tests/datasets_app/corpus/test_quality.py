from __future__ import annotations

import pytest

from datasets_app.corpus.quality import (
    EMPTY_MESSAGE,
    QualityCounts,
    advice,
    band_of,
    report,
    tally,
    verdict,
)
from datasets_app.corpus.rules.finding import Finding
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.sample.conversations import bad_sample, good_sample


def findings_of(conversations):
    return [(talk, judge(talk, standard()).findings) for talk in conversations]


def finding(rule: str, severity: str) -> Finding:
    return Finding(1, rule, 1, severity, 0.0, 0.0, (), "")


@pytest.mark.checklist(171)
def test_the_good_sample_scores_100_and_the_bad_one_0_percent():
    good, bad = report(findings_of(good_sample())), report(findings_of(bad_sample()))
    assert len(good_sample()) == len(bad_sample()) == 8
    assert (good["quality_score"], good["recommendations"]) == (1.0, [])
    assert (bad["quality_score"], bad["valid_conversations"]) == (0.0, 0)
    assert band_of(good["quality_score"]).name == "good"
    assert band_of(bad["quality_score"]).name == "critical"


@pytest.mark.checklist(166)
@pytest.mark.parametrize(
    ("quality_score", "band"),
    [
        (1.0, "good"),
        (0.7, "good"),
        (0.699, "warning"),
        (0.5, "warning"),
        (0.499, "critical"),
        (0.0, "critical"),
    ],
)
def test_the_bands_begin_at_70_and_50_percent(quality_score, band):
    assert band_of(quality_score).name == band
    assert band_of(quality_score).words.lower().startswith(band)


def test_an_open_e_or_r_makes_a_row_invalid_whichever_rule_says_it():
    rows = [
        [finding("echo", "E")],
        [finding("truncated", "R")],
        [finding("echo", "I")],
        [finding("role_bleed", "E"), finding("structure", "R")],
        [finding("pii_email", "P")],
        [],
    ]
    by_rule = {"echo": 1, "truncated": 1, "role_bleed": 1, "structure": 1}
    assert tally(rows) == QualityCounts(6, 3, by_rule)


def test_no_rows_score_zero_with_a_message():
    empty = report([])
    assert empty["quality_score"] == 0.0
    assert empty["recommendations"] == [EMPTY_MESSAGE]


def test_the_report_has_the_names_that_other_programs_read():
    body = report(findings_of([*good_sample(), *bad_sample()]))
    assert list(body) == [
        "total_conversations",
        "valid_conversations",
        "invalid_conversations",
        "quality_score",
        "issue_summary",
        "problematic_examples",
        "recommendations",
    ]
    assert body["issue_summary"] == {
        "empty_outputs": 1,
        "repetitive_outputs": 1,
        "short_outputs": 3,
        "gibberish_outputs": 3,
        "echo_outputs": 1,
        "incomplete_outputs": 1,
    }
    assert (body["total_conversations"], body["quality_score"]) == (16, 0.5)
    assert len(body["problematic_examples"]) == 5
    first = body["problematic_examples"][0]
    assert first == {
        "index": 8,
        "input": "How do I return my order?",
        "output": "",
        "issues": ["empty"],
    }
    assert all(len(item["input"]) <= 100 for item in body["problematic_examples"])


def test_advice_carries_counts_and_appears_above_its_share():
    counts = QualityCounts(
        1000, 650, {"empty": 1, "repetitive": 201, "echo": 133, "gibberish": 100}
    )
    sentences = {item.rule: item.sentence for item in advice(counts)}
    assert list(sentences) == ["", "empty", "repetitive", "echo"]
    assert sentences[""].startswith("350 of 1000 rows")
    assert sentences["echo"].startswith("133 answers repeat the question")
    assert sentences["empty"].startswith("1 answer is empty")
    assert advice(QualityCounts(1000, 800, {"repetitive": 200})) == []


def test_a_good_score_of_many_copies_is_a_warning_that_counts_them():
    many = QualityCounts(629, 623, {}, copies=394)
    assert band_of(many.quality_score).name == "good"
    assert verdict(many).name == "warning"
    assert "394 of 629 rows are copies" in verdict(many).words
    assert [item.rule for item in advice(many)] == ["copies"]
    assert verdict(QualityCounts(629, 623, {}, copies=12)).name == "good"
    assert verdict(QualityCounts(629, 200, {}, copies=12)).name == "critical"
    assert verdict(QualityCounts(0, 0, {})).name == "critical"


def test_the_report_counts_copies_and_advises_only_what_can_be_done():
    twice = report(findings_of([*good_sample(), *good_sample()]))
    assert twice["quality_score"] == 1.0
    assert twice["recommendations"] == [
        "8 rows are copies of earlier ones. Look at them and exclude them."
    ]
    said = " ".join(report(findings_of(bad_sample()))["recommendations"])
    assert not {"Write", "Shorten", "Complete"} & set(said.split())
