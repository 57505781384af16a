"""What `demo` and `pipeline` share: a line per step, and one JSON object at the end."""

from __future__ import annotations

import json
import shutil
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat_app.serving.graph_files import SERVING
from datasets_app.models import ChunkSet, PairGeneration
from datasets_app.selectors.documents import chunk_files
from datasets_app.selectors.pairs import pair_files
from otto_web.lib.work.states import State
from otto_web.loop.jobs.foreground import run_pipeline
from otto_web.loop.management.people import script_user
from otto_web.loop.models import STEP_WORDS, Pipeline, PipelineStep
from otto_web.loop.selectors.details import lines_of
from otto_web.loop.selectors.pipelines import facts
from otto_web.loop.selectors.wishes import BATCH_SIZE, EPOCHS, OPSETS, WISHED_OF_TRAINING, WISHES
from otto_web.loop.services.pipelines import (
    PipelineOrder,
    Wishes,
    left_of,
    retry_pipeline,
    start_pipeline,
)
from otto_web.servers.borrow import Borrowed, servers_for_command
from training_app.lm.config import DEVICES, TrainConfig, TrainingError
from training_app.models import Export, TrainedModel
from training_app.models.paths import absolute
from training_app.selectors.names import model_named


def add_wishes(parser: ArgumentParser) -> None:
    """Add the options of the one-click form, with the meaning of each option's own step."""
    options: dict[str, dict[str, Any]] = {
        "--model-name": {"metavar": "MODEL", "help": "go on from this model"},
        "--output-dir": {"metavar": "NAME", "help": WISHES["model_name"].label},
        "--onnx-output": {"type": Path, "metavar": "DIR", "help": WISHES["onnx"].label},
        "--device": {"choices": DEVICES},
        "--epochs": {
            "type": float,
            "help": f"usually {EPOCHS} where a model is named to go on from",
        },
        "--batch-size": {"type": int, "help": f"usually {BATCH_SIZE}"},
        "--learning-rate": {"type": float},
        "--opset-version": {"type": int, "choices": OPSETS},
        "--verify": {"action": "store_true", "help": WISHES["verify"].label},
        "--max-length": {"type": int, "help": WISHES["max_length"].label},
        "--max-tokens": {"type": int, "help": WISHES["max_tokens"].label},
        "--force": {"default": "", "metavar": "REASON", "help": WISHES["force"].label},
    }
    for name, about in options.items():
        parser.add_argument(name, **about)


def _wishes(options: Mapping[str, Any]) -> Wishes:
    """Return what a command line says. Raises TrainingError for an unknown model or a bad value."""
    base, onnx = options["model_name"], options["onnx_output"]
    is_short = options["epochs"] is None and options["minutes"] is None
    wishes = Wishes(
        base=str(model_named(base).pk) if base else "",
        model_name=options["output_dir"] or "",
        epochs=EPOCHS if is_short and base else options["epochs"],
        batch_size=options["batch_size"] or (BATCH_SIZE if base else None),
        learning_rate=options["learning_rate"],
        device=options["device"],
        max_length=options["max_length"],
        onnx=bool(onnx or options["opset_version"] or options["verify"]),
        opset=options["opset_version"],
        verify=options["verify"],
        optimizer=options.get("optimizer") or "",
        schedule=options.get("schedule") or "",
        max_grad_norm=options.get("max_grad_norm"),
        precision=options.get("precision") or "",
        checkpoint_every=options.get("checkpoint_every"),
        keep_last=options.get("keep_last"),
        system_prompt=options.get("system_prompt") or "",
        verbose=options["verbose"],
        max_tokens=options["max_tokens"],
        force=options["force"],
    )
    told = {ours: getattr(wishes, name) for name, ours in WISHED_OF_TRAINING.items()}
    given = {name: value for name, value in told.items() if value not in (None, "")}
    TrainConfig(epochs=EPOCHS if wishes.epochs is None else wishes.epochs, **given)
    return wishes


def run_loop(
    command: BaseCommand,
    order: PipelineOrder,
    *,
    quiet: bool,
    wished: Mapping[str, Any] | None = None,
) -> None:
    """Run a pipeline in the foreground; its last line is a JSON object. Raises when it failed."""
    with servers_for_command("pipeline", tell=command.stderr.write) as servers:
        run_here(command, order, servers, quiet=quiet, wished=wished)


def run_here(
    command: BaseCommand,
    order: PipelineOrder,
    servers: Borrowed,
    *,
    quiet: bool,
    wished: Mapping[str, Any] | None = None,
) -> None:
    """Do the same with servers that are there already."""
    started = time.monotonic()
    teller = _Teller(command, quiet=quiet, is_long=bool(wished and wished["verbose"]))
    try:
        order = replace(order, wishes=_wishes(wished)) if wished else order
    except TrainingError as error:
        raise CommandError(str(error)) from error
    by = script_user()
    pipeline = left_of(order, by) if wished and wished["resume"] else None
    if pipeline is not None:
        retry_pipeline(pipeline, by=by)
    else:
        pipeline = start_pipeline(order, by=by)
    run_pipeline(pipeline, tell=teller, has_workers=servers.has_workers)
    answer = facts(pipeline, time.monotonic() - started)
    failed = pipeline.steps.filter(state=State.FAILED).first()
    if wished and wished["onnx_output"]:
        _copy_portable(pipeline, wished["onnx_output"])
    if wished:
        write_folders(pipeline, wished.get("folders", {}))
    command.stdout.write(json.dumps(answer, ensure_ascii=False))
    if pipeline.state == State.FAILED:
        raise CommandError(failed.note if failed else pipeline.message)


def _copy_portable(pipeline: Pipeline, target: Path) -> None:
    found = Export.objects.filter(model__run=pipeline.run, format="onnx", state=State.SUCCEEDED)
    if (export := found.first()) is not None:
        shutil.copytree(absolute(export.path), target, dirs_exist_ok=True)


def write_folders(pipeline: Pipeline, folders: Mapping[str, Path]) -> None:
    """Write chunks, pairs and the model where a settings file of the earlier pipeline says."""
    kinds = (("chunks_dir", "chunk_set", ChunkSet), ("pairs_dir", "generation", PairGeneration))
    for name, key, kind in kinds:
        order = kind.objects.filter(pk=pipeline.options.get(key)).first()
        if name not in folders or order is None:
            continue
        folders[name].mkdir(parents=True, exist_ok=True)
        files = chunk_files(order) if kind is ChunkSet else pair_files(order)
        for file, data in files:
            (folders[name] / file).write_bytes(data)
    model = TrainedModel.objects.ready().filter(run=pipeline.run_id).first()
    if "export_dir" in folders and pipeline.run_id and model is not None:
        target = folders["export_dir"] / str(pipeline.deployment_id or model.pk)
        without = shutil.ignore_patterns(SERVING)
        shutil.copytree(absolute(model.path), target, dirs_exist_ok=True, ignore=without)


MARKS: dict[str, str] = {State.SUCCEEDED: "done", State.FAILED: "FAILED"}


class _Teller:
    """Writes a line when a step gets on."""

    def __init__(self, command: BaseCommand, *, quiet: bool, is_long: bool = False) -> None:
        self._command, self._quiet, self._is_long = command, quiet, is_long
        self._seen: dict[str, int] = {}
        self._told: Any = None
        self._count = 0

    def __call__(self, step: PipelineStep) -> None:
        line = (step.number, step.state, step.note)
        if self._is_long and not self._quiet:
            self._tell_each(step)
        if self._quiet or line == self._told:
            return
        self._told = line
        mark = MARKS.get(step.state, "  …")
        words = STEP_WORDS[step.name]
        self._command.stdout.write(
            f"{step.number}/{self._steps_of(step)} {mark:6} {words}: {step.note}"
        )
        self._command.stdout.flush()

    def _tell_each(self, step: PipelineStep) -> None:
        """Write a line for each document, chunk or pair that is done since the last look."""
        seen = self._seen.get(step.name, 0)
        for line in lines_of(step.pipeline, step.name, after=seen):
            self._command.stdout.write(f"    {line}")
            self._seen[step.name] = self._seen.get(step.name, 0) + 1

    def _steps_of(self, step: PipelineStep) -> int:
        self._count = self._count or step.pipeline.steps.count()
        return self._count
