"""What a run gives to scripts and downloads: complete, and bearing nonsense in the address."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from otto_web.lib.work.states import State
from training_app.models import Checkpoint
from training_app.services.attempts import ProcessIdentity, claim_run, end_run
from training_app.services.recording import record_points, record_samples

POINTS = [("train/loss", step, 5.0 / step) for step in range(1, 8)]


@pytest.fixture
def ended_run(queued_run):
    claim = claim_run(ProcessIdentity("here", 1, 1.0))
    record_points(claim, [*POINTS, ("validation/loss", 7, float("nan"))])
    record_samples(claim, 7, [(0, "Where is “it”?", "On\nits way.", "Here.")])
    end_run(claim, State.FAILED, reason="data", message="why")
    queued_run.refresh_from_db()
    return queued_run


@pytest.mark.checklist(94)
def test_the_whole_history_downloads_as_one_json_object(ended_run, theo, client_of):
    answer = client_of(theo).get(reverse("run-history", args=[ended_run.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="training_history.json"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    history = json.loads(b"".join(answer.streaming_content))
    assert history["spec"] == ended_run.spec
    assert history["curves"]["train/loss"] == [[step, value] for _, step, value in POINTS]
    assert history["curves"]["validation/loss"] == [[7, None]]
    assert [event["kind"] for event in history["events"]] == ["queued", "claimed", "failed"]
    assert history["samples"][0]["reply"] == "On\nits way."


def test_a_run_without_points_has_a_history_too(queued_run, theo, client_of):
    answer = client_of(theo).get(reverse("run-history", args=[queued_run.pk]))
    history = json.loads(b"".join(answer.streaming_content))
    assert (history["curves"], history["samples"]) == ({}, [])


@pytest.mark.parametrize("given", ["", "x", "-1", "²", "٣", "9" * 30, "9" * 5000])
def test_a_place_that_is_no_number_means_from_the_beginning(given, ended_run, theo, client_of):
    url = reverse("run-points", args=[ended_run.pk])
    answer = client_of(theo).get(url, {"from": given}).json()
    assert len([row for row in answer["rows"] if row[0] == "train/loss"]) == 7


def test_points_are_given_from_a_number_on(ended_run, theo, client_of):
    url = reverse("run-points", args=[ended_run.pk])
    everything = client_of(theo).get(url).json()
    rest = client_of(theo).get(url, {"from": everything["upto"]}).json()
    assert (rest["rows"], rest["over"]) == ([], True)


def test_a_checkpoint_of_another_run_is_not_given(ended_run, theo, client_of):
    row = Checkpoint.objects.create(
        run=ended_run, step=1, fence=1, path="x", manifest_sha256="0", bytes=1
    )
    url = reverse("run-checkpoint", args=["6a2f41a3-c54c-4ce8-82d2-0324e1c32e22", row.pk])
    assert client_of(theo).get(url).status_code == 404
