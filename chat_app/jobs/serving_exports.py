"""Builds a model's serving file and compares it with torch, before anybody may deploy it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import onnxruntime
from django.db import transaction

from chat_app.models import EXACT, QUICK, ServingExport
from chat_app.services import deployments
from chat_app.serving.errors import ServingError
from chat_app.serving.export import remove_graph, write_graph
from chat_app.serving.gate import weigh_int8
from chat_app.serving.graph_files import GRAPH_FILES, Precision, graph_path
from chat_app.serving.parity import GREEDY_TOKENS, calibrate, check_parity
from otto_web.lib.failpoints import failpoint
from otto_web.lib.files import sha256_of
from otto_web.lib.work.claims import fail, finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.states import State
from training_app.lm.config import TrainingError
from training_app.models import TrainedModel
from training_app.models.paths import absolute
from training_app.selectors.prompts import prompts_of, replies_of


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is compared: a wrong weight shows at once, and a large model is slow to ask."""

    prompts: int
    tokens: int  # of each answer
    replies: int  # on which int8 is judged


# Chosen by hand: of 135 million weights the smaller amount takes a minute of one core, the other
# four.
USUAL, OF_LARGE_ONES = Amount(32, GREEDY_TOKENS, 32), Amount(4, 32, 24)
LARGE = 30_000_000  # weights


def build_serving_export(export_id: int | str) -> None:
    """Build and check a serving file that waits; harmless when another worker does it."""
    perform(ServingExport, export_id, _build_and_check, refusals=(ServingError, TrainingError))


def _build_and_check(export: ServingExport, lease: Lease) -> None:
    found, difference = build(export)
    if difference:
        fail(export, "differs", difference, **found)
    else:
        for precision in _publish(export, found):
            remove_graph(absolute(export.model.path), cast("Precision", precision))


def build(export: ServingExport) -> tuple[dict[str, Any], str]:
    """Return the file's figures for its row, and in a sentence how it differs, if it does."""
    model, folder = export.model, absolute(export.model.path)
    amount = OF_LARGE_ONES if model.params >= LARGE else USUAL
    with _one_file(model, folder) as kept:
        if EXACT not in kept:
            write_graph(folder, "fp32")
        prompts = prompts_of(model, folder, most=amount.prompts)
        parity = check_parity(folder, "fp32", prompts, most=amount.tokens)
        found = {
            "path": model.path,
            "onnxruntime": onnxruntime.__version__,
            "cpu": platform.processor() or platform.machine(),
            "parity_max": parity.largest_error,
            "figures": {**asdict(parity), "sentence": parity.sentence()},
        }
        if not parity.passes:
            return found, parity.sentence()
        if export.precision == QUICK:
            found["figures"] |= _weighed(model, folder, prompts, amount)
        precision: Precision = "row-int8" if found["figures"].get("is_quick") else "fp32"
        if precision != export.precision and EXACT in kept:
            return found, found["figures"]["gate"]
        kept.add(precision)
        graph = graph_path(folder, precision)
        found |= {"precision": precision, "sha256": sha256_of(graph)}
        return {**found, "calibration": calibrate(graph)}, ""


def _weighed(model: TrainedModel, folder: Path, prompts: Any, amount: Amount) -> dict[str, Any]:
    """Build the int8 file and say whether it may serve, with both sizes and the gate's figures."""
    write_graph(folder, "row-int8")
    sizes = {name: graph_path(folder, name).stat().st_size for name in GRAPH_FILES}
    replies = replies_of(model, folder, most=amount.replies)
    if not replies:
        sentence = "There is no validation reply on which 8-bit weights could be judged."
        return {"sizes": sizes, "is_quick": False, "gate": sentence}
    gate = weigh_int8(folder, replies)
    told = {"sizes": sizes, "gate": gate.sentence(), "gate_figures": asdict(gate)}
    if not gate.is_open:
        return {**told, "is_quick": False}
    parity = check_parity(folder, "row-int8", prompts[:4], most=amount.tokens)
    if not parity.is_repeatable:
        sentence = "With 8-bit weights an answer would depend on those written beside it."
        return {**told, "is_quick": False, "gate": sentence}
    return {**told, "is_quick": True, "int8_error": parity.largest_error}


@contextmanager
def _one_file(model: TrainedModel, folder: Path) -> Iterator[set[str]]:
    """Give the precisions whose files stay; the others go at the end, come what may.

    Before the row says what serves, so that no end of this process leaves a file behind: the next
    attempt makes and removes them again.
    """
    served = ServingExport.objects.filter(model=model, state=State.SUCCEEDED)
    kept = set(served.values_list("precision", flat=True))
    try:
        yield kept
    finally:
        for precision in GRAPH_FILES.keys() - kept:
            remove_graph(folder, precision)


@transaction.atomic(durable=True)
def _publish(export: ServingExport, found: dict[str, Any]) -> list[str]:
    """Write the figures, and carry out the deployments that waited for them.

    Return the precisions of this model whose files nothing answers from any more.
    """
    finish(export, **found)
    failpoint("exports.finishing")
    deployments.switch_waiting(export)
    return deployments.release_unserved(export)
