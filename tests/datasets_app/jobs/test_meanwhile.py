"""What people do while a worker reads or judges is neither lost nor overwritten."""

from __future__ import annotations

import json

import pytest
from django.db import connections

from datasets_app.corpus.rules import policy
from datasets_app.corpus.source import Mapping
from datasets_app.jobs import importing, reading, rescoring
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Decision, FileState, Rescoring, Status
from datasets_app.services import choices, curation
from datasets_app.services.datasets import create_dataset, delete_dataset, set_policy
from otto_web.lib.failpoints import FailpointError
from otto_web.lib.models import AuditEntry
from otto_web.lib.work.claims import claim
from otto_web.lib.work.states import State
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = b"colour,size\nWhich red is it?,It is the dark red one.\nHow blue is it?,Very blue.\n"


def lines(count):
    told = (
        {"input": f"Tell me of item {n}.", "output": "It lies over there."} for n in range(count)
    )
    return "".join(json.dumps(pair) + "\n" for pair in told).encode()


def once(monkeypatch, owner, name, act):
    """Call `act` once, just before the named function does its work."""
    real, calls = getattr(owner, name), []

    def then(*args, **kwargs):
        if not calls:
            calls.append(1)
            act()
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, then)


def test_a_file_let_go_while_its_upload_ends_is_read(upload, cora, monkeypatch):
    found = upload("shapes.csv", COLUMNS)
    once(
        monkeypatch,
        importing,
        "_end",
        lambda: choices.choose_columns(
            list(found.files.all()), Mapping(question="colour", answer="size"), by=cora
        ),
    )
    assert import_upload(found.pk)
    found.refresh_from_db()
    assert found.state == State.SUCCEEDED
    assert found.files.get().verdict == FileState.LOADED


def test_a_choice_for_many_files_is_one_entry_of_the_audit_trail(upload, cora):
    found = upload("shapes.csv", COLUMNS)
    import_upload(found.pk)
    files = list(found.files.all())
    assert choices.choose_columns(files, Mapping(question="colour", answer="size"), by=cora) == 1
    assert choices.choose_columns(files, Mapping(question="colour", answer="size"), by=cora) == 0


def test_rows_read_after_the_rules_changed_are_judged_by_the_new_ones(upload, cora, monkeypatch):
    monkeypatch.setattr(reading, "MOST_RECORDS", 2)
    dataset = create_dataset("Shelf", by=cora)
    strict = policy.standard().changed("too_short", thresholds={"words": 50})
    found = upload("shelf.jsonl", lines(4), dataset=str(dataset.pk))
    real = reading.write_rows

    def change_after_the_first(*args, **more):
        done = real(*args, **more)
        dataset.refresh_from_db()
        if not dataset.policy:
            type(dataset).objects.filter(pk=dataset.pk).update(policy=strict.as_json())
        return done

    monkeypatch.setattr(reading, "write_rows", change_after_the_first)
    import_upload(found.pk)
    ordered = dataset.conversations.order_by("position").values_list("status", flat=True)
    assert list(ordered) == ["kept", "kept", "excluded", "excluded"]


def test_a_dataset_deleted_while_a_file_is_read_takes_no_more_rows(upload, cora, monkeypatch):
    monkeypatch.setattr(reading, "MOST_RECORDS", 2)
    dataset = create_dataset("Gone", by=cora)
    found = upload("gone.jsonl", lines(6), dataset=str(dataset.pk))
    real, calls = reading.write_rows, []

    def delete_before_the_second(*args, **more):
        calls.append(1)
        if len(calls) == 2:
            type(dataset).objects.filter(pk=dataset.pk).update(deleted_at=found.created_at)
            args[0].refresh_from_db()
        return real(*args, **more)

    monkeypatch.setattr(reading, "write_rows", delete_before_the_second)
    import_upload(found.pk)
    file = found.files.get()
    assert dataset.conversations.count() == 2
    assert (file.n_records, file.n_loaded) == (2, len(lines(2)))  # no more than was written
    assert (file.verdict, file.n_total) == ("failed", file.n_loaded)  # the rest was not read
    assert "was deleted" in file.note


@pytest.mark.slow
def test_a_decision_made_while_rows_are_judged_again_waits_and_stands(cora, monkeypatch):
    dataset = support_dataset(cora)
    row = dataset.conversations.filter(status=Status.KEPT).first()
    set_policy(dataset, policy.standard(), by=cora)
    seen = []

    def look(rows, rules):
        with connections["default"].copy().cursor() as other:  # another worker or web process
            other.execute(
                "SELECT 1 FROM datasets_app_dataset WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED",
                [dataset.pk],
            )
            seen.append(other.fetchone())
            other.connection.close()

    monkeypatch.setattr(rescoring, "_judge_again", look)
    rescoring.rescore_slice(claim(Rescoring, dataset.pk))
    assert seen == [None]  # the dataset is held, so that a decision waits for the slice
    monkeypatch.undo()
    curation.decide_rows(dataset, [row.pk], Decision.EXCLUDE, by=cora)
    set_policy(dataset, policy.standard(), by=cora)
    rescoring.rescore_dataset(dataset.pk)
    row.refresh_from_db()
    assert (row.status, row.decision) == (Status.EXCLUDED, Decision.EXCLUDE)


def test_undo_gives_back_what_the_rules_say_now(cora):
    dataset = support_dataset(cora)
    row = dataset.conversations.filter(reasons__contains=["too_short"]).get()
    action = curation.decide_rows(dataset, [row.pk], Decision.KEEP, by=cora)
    set_policy(dataset, policy.standard().changed("too_short", on=False), by=cora)
    rescoring.rescore_dataset(dataset.pk)
    assert curation.undo(action, by=cora).restored == 1
    row.refresh_from_db()
    assert (row.status, row.decision, row.reasons) == (Status.KEPT, None, [])


def test_deleting_twice_is_noted_once(cora):
    dataset = create_dataset("Once", by=cora)
    for _ in range(2):
        delete_dataset(dataset, by=cora)
    assert AuditEntry.objects.filter(verb="delete").count() == 1


@pytest.mark.slow
def test_a_judging_that_breaks_each_time_ends_with_a_sentence(failpoint_at, cora):
    dataset = support_dataset(cora)
    order = set_policy(dataset, policy.standard(), by=cora)
    failpoint_at("rescoring.judging", "raise@every").arm_here()
    for _ in range(Rescoring.retry.most):
        with pytest.raises(FailpointError):
            rescoring.rescore_dataset(dataset.pk)
        Rescoring.objects.filter(pk=order.pk).update(not_before=None)
    order.refresh_from_db()
    assert (order.state, order.message) == (State.FAILED, Rescoring.retry.message)
