"""The report of the earlier pipeline: written as it was, read with every status computed anew."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.report import (
    Heading,
    ScoredPair,
    filtered_text,
    read_report,
    report_text,
)
from datasets_app.corpus.judging.scores import Cuts, Scores, Summary, distribution

PAIRS = [
    ScoredPair(0, "Where?", "In Bonn.", Scores(10, 10, 10), "p0", "a.md", "a_chunk_0", 0),
    ScoredPair(1, "Wann?", "Um zwölf.", Scores(7, 8, 7), "p1", "a.md", issues=("thin",)),
    ScoredPair(2, "Who?", "She.", Scores(1, 9, 9), "p2", "b.md", recommendations=("look",)),
    ScoredPair(3, "When?", "?", None, "p3", "b.md"),
]


def heading(pairs=PAIRS, cuts=None):
    cuts = cuts or Cuts()
    overalls = [one.scores.overall for one in pairs if one.scores]
    counts = Counter(map(cuts.verdict, overalls))
    averages = {"overall": sum(overalls) / len(overalls)} if overalls else {}
    return Heading(
        *("offline:1", "2026-11-28T12:00:00+00:00", "a.md", cuts),
        *(Summary(dict(counts), len(pairs) - len(overalls)), distribution(overalls), averages),
    )


def written(pairs=PAIRS):
    return json.loads("".join(report_text(heading(pairs), lambda: iter(pairs))))


def test_a_report_has_the_earlier_names_and_is_read_back():
    report = written()
    assert list(report) == [
        *("validation_metadata", "summary_statistics", "cross_reference_index"),
        *("validation_results", "flagged_issues"),
    ]
    statistics = report["summary_statistics"]
    assert (statistics["pass_count"], statistics["needs_review_count"]) == (1, 1)
    assert (statistics["fail_count"], statistics["total_qa_pairs"]) == (1, 4)
    assert statistics["score_distribution"]["9-10"] == {"count": 1, "percentage": 33.3}
    assert statistics["score_ranges"]["7-8"] == 1
    assert report["cross_reference_index"]["0"]["validation_status"] == "PASS"
    first = report["validation_results"][0]
    assert first["validation_score"]["factual_accuracy_score"] == 10
    assert first["validation_score"]["overall_score"] == 10.0
    assert report["validation_results"][3]["validation_score"]["overall_score"] is None
    flagged = report["flagged_issues"]
    assert [one["qa_pair_id"] for one in flagged["high_priority"]] == ["p2"]
    assert [one["qa_pair_id"] for one in flagged["medium_priority"]] == ["p1"]
    assert flagged["low_priority"] == []
    back = read_report(report)
    assert back.changed == 0
    assert [one.scores for one in back.pairs] == [one.scores for one in PAIRS]
    assert back.judge == "offline:1"
    assert back.threshold == 8.0


def test_a_report_of_nothing_is_whole():
    report = written([])
    assert report["summary_statistics"]["pass_rate"] == 0.0
    assert report["validation_results"] == []
    assert read_report(report).pairs == []


def test_a_status_that_contradicts_its_score_is_computed_anew():
    report = written()
    report["validation_results"][0]["validation_score"]["validation_status"] = "FAIL"
    report["validation_results"][2]["validation_score"]["overall_score"] = 9.9  # not read either
    back = read_report(report)
    assert back.changed == 1
    assert back.pairs[2].scores.overall == Decimal("5.00")


def test_one_bad_score_leaves_its_own_pair_unscored():
    report = written()
    report["validation_results"][0]["validation_score"]["factual_accuracy_score"] = "high"
    report["validation_results"][1]["validation_score"]["completeness_score"] = 85
    back = read_report(report)
    assert back.pairs[0].scores is None
    assert back.pairs[1].scores.completeness == 8.5
    assert len(back.problems) == 2


@pytest.mark.parametrize("where", ["top", "head", "nowhere"])
def test_the_status_of_the_whole_is_read_wherever_it_stands(where):
    report = written()
    if where == "top":
        report["status"] = "completed"
    elif where == "head":
        report["validation_metadata"]["status"] = "completed"
    assert read_report(report).finished == ("" if where == "nowhere" else "completed")


def test_filtered_pairs_are_written_and_read_in_both_forms():
    told = json.loads("".join(filtered_text(PAIRS[:2], metadata={"filter_threshold": 7.0})))
    assert told["filtered_pairs"][1] == {
        "question": "Wann?",
        "answer": "Um zwölf.",
        "validation_score": 7.3,
        "source_file": "a.md",
    }
    both = read_report(told), read_report(told["filtered_pairs"])
    assert [[float(one.scores.overall) for one in back.pairs] for back in both] == [[10, 7.3]] * 2
    assert both[0].threshold == 7.0


@pytest.mark.parametrize("value", [{}, {"a": 1}, "text", None, 3])
def test_what_is_no_report_is_refused(value):
    with pytest.raises(CorpusError):
        read_report(value)


def test_rows_that_are_no_pairs_are_listed():
    back = read_report({"validation_results": [None, {"question": 1}, {"question": "a"}]})
    assert back.pairs == []
    assert len(back.problems) == 3
