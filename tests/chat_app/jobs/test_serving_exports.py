from __future__ import annotations

from uuid import uuid4

import pytest

from chat_app.jobs import serving_exports
from chat_app.jobs.serving_exports import build_serving_export
from chat_app.models import EXACT, QUICK, Generation, ServingExport
from chat_app.services import chats, deployments
from chat_app.services.chats import AnswerParams
from chat_app.serving import gate
from otto_web.lib.work.states import State
from training_app.models.paths import absolute

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(serving_exports, "USUAL", serving_exports.Amount(2, 8, 16))


@pytest.fixture
def open_gate(monkeypatch):
    monkeypatch.setattr(gate, "LEAST_AGREEMENT", 0.0)
    monkeypatch.setattr(gate, "LARGEST_LOSS", 10.0)


@pytest.fixture
def shut_gate(monkeypatch):
    monkeypatch.setattr(gate, "LEAST_AGREEMENT", 1.01)


def files_of(model):
    return {path.name for path in (absolute(model.path) / "serving").iterdir()}


def build_all():
    for export in ServingExport.objects.filter(state=State.QUEUED):
        build_serving_export(export.pk)


@pytest.fixture
def quick(toy_model, theo, redis_server, open_gate):
    """The toy model, deployed with weights of 8 bits."""
    made = deployments.deploy(toy_model, "support", by=theo)
    build_all()
    made.refresh_from_db()
    return made


def test_weights_of_8_bits_serve_where_they_answer_alike(quick):
    export = quick.export
    assert (export.precision, export.state) == (QUICK, State.SUCCEEDED)
    assert export.parity_max <= 1e-4  # of the file in full precision, from which they were made
    assert files_of(quick.model) == {"model.int8.onnx"}
    figures = export.figures
    assert figures["gate_figures"]["tokens"] > 100
    assert figures["sizes"][QUICK] < figures["sizes"][EXACT]
    assert "same token as full precision" in figures["gate"]


def test_full_precision_serves_where_they_do_not_and_says_why(
    toy_model, theo, redis_server, shut_gate
):
    made = deployments.deploy(toy_model, "support", by=theo)
    build_all()
    made.refresh_from_db()
    assert (made.export.precision, files_of(toy_model)) == (EXACT, {"model.onnx"})
    assert "wanted are 101% or more" in made.export.figures["gate"]


def test_a_person_may_choose_full_precision_and_only_its_file_stays(quick, theo, mia):
    first = quick.export
    asked = chats.ask(chats.open_chat(quick, owner=mia), "Open?", AnswerParams(), idem=uuid4())
    deployments.choose_precision(quick.model, EXACT, by=theo)
    quick.refresh_from_db()
    assert (quick.export, quick.next_model) == (first, quick.model)  # it goes on meanwhile
    build_all()
    quick.refresh_from_db()
    first.refresh_from_db()
    assert (quick.export.precision, quick.next_model) == (EXACT, None)
    assert (first.state, first.reason) == (State.CANCELLED, deployments.REPLACED)
    assert files_of(quick.model) == {"model.onnx"}
    assert Generation.objects.get(answer=asked.answer).export == quick.export
    deployments.choose_precision(quick.model, QUICK, by=theo)
    build_all()
    quick.refresh_from_db()
    assert (quick.export, files_of(quick.model)) == (first, {"model.int8.onnx"})


def test_8_bits_that_are_refused_leave_the_file_that_serves(quick, theo, monkeypatch):
    deployments.choose_precision(quick.model, EXACT, by=theo)
    build_all()
    monkeypatch.setattr(gate, "LEAST_AGREEMENT", 1.01)
    refused = deployments.choose_precision(quick.model, QUICK, by=theo)
    build_all()
    refused.refresh_from_db()
    quick.refresh_from_db()
    assert (refused.state, refused.reason) == (State.FAILED, "differs")
    assert "same token" in refused.message
    assert (quick.export.precision, files_of(quick.model)) == (EXACT, {"model.onnx"})


def test_a_file_from_before_serves_on_without_another_being_made(toy_model, theo, redis_server):
    ServingExport.objects.create(model=toy_model, precision=EXACT, path=toy_model.path)
    build_all()
    made = deployments.deploy(toy_model, "support", by=theo)
    assert made.export.precision == EXACT
    assert "gate" not in made.export.figures
    assert ServingExport.objects.count() == 1


def test_a_worker_that_ends_before_the_row_leaves_nothing_that_stays(
    toy_model, theo, redis_server, open_gate, monkeypatch
):
    made = deployments.deploy(toy_model, "support", by=theo)
    with monkeypatch.context() as patch:
        patch.setattr(deployments, "switch_waiting", lambda export: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build_all()
    (row,) = ServingExport.objects.all()
    assert row.state != State.SUCCEEDED
    deployments.order_export(toy_model, by=theo)
    ServingExport.objects.update(not_before=None)
    build_all()
    made.refresh_from_db()
    assert (made.export.precision, files_of(toy_model)) == (QUICK, {"model.int8.onnx"})
