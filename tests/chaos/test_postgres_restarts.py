"""PostgreSQL dies under a run and is started again: the same attempt goes on to its end."""

from __future__ import annotations

import psycopg
import pytest

from tests.chaos.acting import asked
from tests.otto_web.installation import Installation, words_of
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
STEPS = 4000
WAITS = {"OTTO_LEASE_SECONDS": "120", "OTTO_REAPER_SECONDS": "2", "OTTO_REAPER_GRACE_SECONDS": "2"}
LOOK = "SELECT last_step FROM training_app_run WHERE id = %s"


def test_a_run_and_its_supervisor_go_on_under_the_postgres_that_comes_after(tmp_path):
    with Installation(tmp_path / "var", **WAITS) as installed:
        run = asked(installed, "order", str(STEPS))["run"]
        for least in (100, 500):
            until(lambda least=least: step_of(installed, run) >= least)
            supervisor, trainer = child(installed), installed.find("execute_run")
            kill_postgres(installed)
            before = until(lambda: step_of(installed, run))
            until(lambda before=before: step_of(installed, run) > before)
            assert (child(installed), installed.find("execute_run")) == (supervisor, trainer)
        told = until(lambda: over(asked(installed, "tell", run)))
        assert (told["state"], told["attempts"]) == ("succeeded", 1), told
        assert told["step"] > 1_000  # a toy stops early: it is good after 500


def step_of(installed, run):
    """Return the last step that the database knows; 0 while it is away."""
    try:
        with psycopg.connect(installed.services["database_url"], connect_timeout=3) as base:
            return base.execute(LOOK, [run]).fetchone()[0]
    except psycopg.OperationalError:
        return 0


def child(installed):
    """Return the processes of the train worker: its main one and the supervising child."""
    return {one.pid for one in installed.find("-Q", "train")}


def kill_postgres(installed):
    found = ((one, words_of(one)) for one in installed.processes())
    next(one for one, words in found if "-D" in words and words[0].endswith("/postgres")).kill()


def over(told):
    return told if told and told["state"] not in {"queued", "running"} else None
