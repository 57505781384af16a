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

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from otto_web.lib.access import Role
from otto_web.lib.work.states import State
from otto_web.loop.jobs.foreground import run_pipeline
from otto_web.loop.models import STEP_WORDS, Pipeline, PipelineStep
from otto_web.loop.selectors.pipelines import facts
from otto_web.loop.selectors.wishes import BATCH_SIZE, EPOCHS, OPSETS, WISHES
from otto_web.loop.services.pipelines import (
    WISHED_OF_TRAINING,
    PipelineOrder,
    Wishes,
    retry_pipeline,
    start_pipeline,
)
from otto_web.servers.borrow import servers_for_command
from training_app.lm.config import DEVICES, TrainConfig, TrainingError
from training_app.models import Export
from training_app.models.paths import absolute
from training_app.selectors.names import model_named

SCRIPT_USER = "script"


def script_user() -> User:
    """Return the person that scripts act as: nobody can sign in as them."""
    user, is_new = User.objects.get_or_create(username=SCRIPT_USER)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=Role.TRAINER.group))
    return user


def add_wishes(parser: ArgumentParser) -> None:
    """Add the options of the one-click form, with the meaning of each option's own step."""
    options: dict[str, dict[str, Any]] = {
        "--model-name": {"metavar": "MODEL", "help": "go on from this model"},
        "--output-dir": {"metavar": "NAME", "help": WISHES["model_name"].label},
        "--onnx-output": {"type": Path, "metavar": "DIR", "help": WISHES["onnx"].label},
        "--device": {"choices": DEVICES, "default": "auto"},
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
        max_tokens=options["max_tokens"],
        force=options["force"],
    )
    told = {ours: getattr(wishes, name) for name, ours in WISHED_OF_TRAINING.items()}
    given = {name: value for name, value in told.items() if value is not None}
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
    started = time.monotonic()
    teller = _Teller(command, quiet=quiet)
    with servers_for_command("pipeline", tell=command.stderr.write) as servers:
        try:
            order = replace(order, wishes=_wishes(wished)) if wished else order
        except TrainingError as error:
            raise CommandError(str(error)) from error
        by = script_user()
        pipeline = _left(order) if wished and wished["resume"] else None
        if pipeline is not None:
            retry_pipeline(pipeline, by=by)
        else:
            pipeline = start_pipeline(order, by=by)
        run_pipeline(pipeline, tell=teller, has_workers=servers.has_workers)
        answer = facts(pipeline, time.monotonic() - started)
        failed = pipeline.steps.filter(state=State.FAILED).first()
        if wished and wished["onnx_output"]:
            _copy_portable(pipeline, wished["onnx_output"])
    command.stdout.write(json.dumps(answer, ensure_ascii=False))
    if pipeline.state == State.FAILED:
        raise CommandError(failed.note if failed else pipeline.message)


def _left(order: PipelineOrder) -> Pipeline | None:
    """Return the newest pipeline of this folder, or of these files, that is not done."""
    rows = Pipeline.objects.exclude(state__in=(State.SUCCEEDED, State.CANCELLED))
    if order.documents is not None:
        rows = rows.filter(options__folder=order.documents.folder)
    else:
        files = [str(path.resolve()) for path in order.files]
        rows = rows.filter(options__files=files).exclude(options__has_key="folder")
    return rows.order_by("-queued_at").first()


def _copy_portable(pipeline: Pipeline, target: Path) -> None:
    found = Export.objects.filter(model__run=pipeline.run, format="onnx", state=State.SUCCEEDED)
    if (export := found.first()) is not None:
        shutil.copytree(absolute(export.path), target, dirs_exist_ok=True)


MARKS: dict[str, str] = {State.SUCCEEDED: "done", State.FAILED: "FAILED"}


class _Teller:
    """Writes a line when a step gets on."""

    def __init__(self, command: BaseCommand, *, quiet: bool) -> None:
        self._command, self._quiet = command, quiet
        self._told: Any = None
        self._count = 0

    def __call__(self, step: PipelineStep) -> None:
        line = (step.number, step.state, step.note)
        if self._quiet or line == self._told:
            return
        self._told = line
        mark = MARKS.get(step.state, "  …")
        words = STEP_WORDS[step.name]
        self._command.stdout.write(
            f"{step.number}/{self._steps_of(step)} {mark:6} {words}: {step.note}"
        )
        self._command.stdout.flush()

    def _steps_of(self, step: PipelineStep) -> int:
        self._count = self._count or step.pipeline.steps.count()
        return self._count
