"""What `demo` and `pipeline` share: a line per step, and one JSON object at the end."""

from __future__ import annotations

import json
import time
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from otto_web.lib.access import Role
from otto_web.lib.work.states import State
from otto_web.loop.jobs.foreground import run_pipeline
from otto_web.loop.models import STEP_WORDS, PipelineStep
from otto_web.loop.selectors.pipelines import facts
from otto_web.loop.services.pipelines import PipelineOrder, start_pipeline
from otto_web.servers.borrow import servers_for_command

SCRIPT_USER = "script"


def script_user() -> User:
    """Return the person that scripts act as: nobody can sign in as them."""
    user, is_new = User.objects.get_or_create(username=SCRIPT_USER)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=Role.TRAINER.group))
    return user


def run_loop(command: BaseCommand, order: PipelineOrder, *, quiet: bool) -> None:
    """Run a pipeline in the foreground; its last line is a JSON object. Raises when it failed."""
    started = time.monotonic()
    teller = _Teller(command, quiet=quiet)
    with servers_for_command("pipeline", tell=command.stderr.write) as servers:
        pipeline = start_pipeline(order, by=script_user())
        run_pipeline(pipeline, tell=teller, has_workers=servers.has_workers)
        answer = facts(pipeline, time.monotonic() - started)
        failed = pipeline.steps.filter(state=State.FAILED).first()
    command.stdout.write(json.dumps(answer, ensure_ascii=False))
    if pipeline.state == State.FAILED:
        raise CommandError(failed.note if failed else pipeline.message)


MARKS: dict[str, str] = {State.SUCCEEDED: "done", State.FAILED: "FAILED"}


class _Teller:
    """Writes a line when a step gets on."""

    def __init__(self, command: BaseCommand, *, quiet: bool) -> None:
        self._command, self._quiet = command, quiet
        self._told: Any = None

    def __call__(self, step: PipelineStep) -> None:
        line = (step.number, step.state, step.note)
        if self._quiet or line == self._told:
            return
        self._told = line
        mark = MARKS.get(step.state, "  …")
        words = STEP_WORDS[step.name]
        self._command.stdout.write(f"{step.number}/{len(STEP_WORDS)} {mark:6} {words}: {step.note}")
        self._command.stdout.flush()
