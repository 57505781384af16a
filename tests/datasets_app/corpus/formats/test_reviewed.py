"""Exports of Label Studio and Argilla: what people decided there is decided here."""

from __future__ import annotations

import json

import pytest


def task(number: int, *results: dict, **more) -> dict:
    data = {"question": f"Question {number}?", "answer": "Perhaps."}
    by = {"completed_by": {"email": "cora@lamp.example"}, "was_cancelled": False}
    return {"id": number, "data": data, "annotations": [{**by, **more, "result": [*results]}]}


def choice(label: str) -> dict:
    value = {"choices": [label]}
    return {"from_name": "verdict", "to_name": "answer", "type": "choices", "value": value}


def better(text: str) -> dict:
    return {"from_name": "better_answer", "type": "textarea", "value": {"text": [text]}}


def seen(found) -> list[tuple[str, str]]:
    return [(record.decision, record.turns[1].text) for record in found.records]


def test_tasks_of_label_studio_keep_their_decisions(load):
    torn = task(5, choice("Accept"))
    torn["annotations"] += task(5, choice("Reject"))["annotations"]
    tasks = [
        task(1, choice("Accept")),
        task(2, choice("Reject")),
        task(3, better("No, on Sundays we are closed.")),
        task(4, choice("Reject"), was_cancelled=True),
        torn,
    ]
    found = load(json.dumps(tasks), "project-1.json")
    assert seen(found) == [
        ("keep", "Perhaps."),
        ("exclude", "Perhaps."),
        ("keep", "No, on Sundays we are closed."),
        ("", "Perhaps."),
        ("", "Perhaps."),
    ]
    assert found.records[2].meta["reviewed_elsewhere"] == {
        "from": "Label Studio",
        "by": "cora@lamp.example",
        "before": "Perhaps.",
    }
    talk = task(6, choice("good"))
    talk["data"] = {
        "dialogue": [{"author": "customer", "text": "Hi"}, {"author": "agent", "text": "Yes?"}]
    }
    assert seen(load(json.dumps([talk]), "a.json")) == [("keep", "Yes?")]


def test_the_short_export_of_label_studio_keeps_them_too(load):
    of_tool = {"annotator": 1, "annotation_id": 5, "lead_time": 3.1}
    rows = [
        {"id": n, "question": "Open?", "answer": "Yes.", "verdict": label, **of_tool}
        for n, label in enumerate(("Accept", "Reject", "who knows"))
    ]
    assert [decision for decision, _ in seen(load(json.dumps(rows)))] == ["keep", "exclude", ""]


@pytest.mark.parametrize(
    ("responses", "decision", "answer"),
    [
        ({"quality": [{"value": "good", "user_id": "u1"}]}, "keep", "Perhaps."),
        ([{"user_id": "u1", "status": "discarded", "values": {}}], "exclude", "Perhaps."),
        (
            [{"status": "submitted", "values": {"corrected_response": {"value": "No."}}}],
            "keep",
            "No.",
        ),
        ([{"status": "draft", "values": {"quality": {"value": "bad"}}}], "", "Perhaps."),
        ({"stars": [{"value": 4, "user_id": "u1"}]}, "", "Perhaps."),
    ],
)
def test_records_of_argilla_keep_their_decisions(load, responses, decision, answer):
    fields = {"instruction": "Open on Sundays?", "response": "Perhaps."}
    line = json.dumps({"id": "a", "fields": fields, "responses": responses})
    found = load(f"{line}\n{line}\n", "records.jsonl")
    assert seen(found) == [(decision, answer)] * 2


def test_columns_of_argilla_keep_their_decisions(load):
    row = {
        "_server_id": "x",
        "instruction": "Open?",
        "response": "Yes.",
        "quality.responses": ["bad"],
    }
    found = load(json.dumps([{**row, "quality.responses.status": ["submitted"]}, row]), "a.json")
    assert seen(found) == [("exclude", "Yes.")] * 2


def test_an_object_with_such_a_key_is_no_export_by_that_alone(load):
    rows = [{"question": "Open?", "answer": "Yes.", "responses": ["good"], "annotations": 3}]
    assert seen(load(json.dumps(rows), "a.json")) == [("", "Yes.")]
