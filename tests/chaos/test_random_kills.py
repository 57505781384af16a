"""Random processes are killed while people work: nothing is lost, nothing stays behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import psutil
import psycopg
import pytest

from tests.chaos.acting import actor, asked
from tests.otto_web.installation import Installation, words_of
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
SECONDS = float(os.environ.get("CHAOS_SECONDS", "150"))
WAITS = {
    "OTTO_LEASE_SECONDS": "10",
    "OTTO_GENERATION_LEASE_SECONDS": "10",
    "OTTO_REAPER_SECONDS": "2",
    "OTTO_REAPER_GRACE_SECONDS": "5",
    "OTTO_BACKOFF_SECONDS": "1",
    "OTTO_HINT_SECONDS": "5",
}
KINDS = {
    "web": lambda words: "run_web" in words,
    "worker-short": lambda words: {"-Q", "short"} <= set(words),
    "worker-train": lambda words: {"-Q", "train"} <= set(words),
    "trainer": lambda words: "execute_run" in words,
    "engine": lambda words: "run_engine" in words,
    "reaper": lambda words: "run_reaper" in words,
    "valkey": lambda words: "/valkey-server" in words[0],
    "postgres": lambda words: words[0].endswith("/postgres") and "-D" in words,
}
OF_THE_RUN = ("worker-train", "trainer")
CHECKPOINTS = "SELECT count(*), coalesce(max(step), 0) FROM training_app_checkpoint WHERE run_id=%s"


@pytest.fixture
def installed(tmp_path):
    with Installation(tmp_path / "var", **WAITS) as installation:
        yield installation
    assert installation.processes() == []


class Killer:
    """Kills one random process at a time, and one of the run only when that had got on."""

    def __init__(self, installed, run, chance):
        self.installed, self.run, self.chance = installed, run, chance
        self.killed, self.saved = Counter(), -1

    def strike(self):
        kind = self.chance.choice(list(KINDS))
        family = psutil.Process(self.installed.process.pid).children(recursive=True)
        found = [(one, words_of(one)) for one in family]
        victims = [one for one, words in found if words and KINDS[kind](words)]
        if not victims or (kind in OF_THE_RUN and not self._has_got_on()):
            return
        with suppress(psutil.NoSuchProcess):
            self.chance.choice(victims).send_signal(signal.SIGKILL)
            self.killed[kind] += 1

    def _has_got_on(self):
        """Say whether the run has a newer checkpoint: three deaths without one rightly end it."""
        try:
            with psycopg.connect(
                self.installed.services["database_url"], connect_timeout=3
            ) as base:
                saved = base.execute(CHECKPOINTS, [self.run]).fetchone()[1]
        except psycopg.OperationalError:
            return False
        if saved <= self.saved:
            return False
        self.saved = saved
        return True


def test_everything_ends_well_whatever_is_killed(installed):
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"To see it again: CHAOS_SEED={seed} pytest -m chaos {__file__}\n")
    chance = random.Random(seed)  # noqa: S311
    facts = asked(installed, "prepare")
    people = actor(installed, "act", installed.address, stdin=subprocess.PIPE)
    killer, began = Killer(installed, facts["run"], chance), time.monotonic()
    while time.monotonic() - began < SECONDS:
        time.sleep(chance.uniform(0.5, 3))
        killer.strike()
    said, _ = people.communicate(timeout=300)
    assert people.returncode == 0
    accepted = [json.loads(line) for line in said.splitlines()]

    def rest():
        found = asked(installed, "judge", facts["run"], facts["twin"])
        return found if found and not found["open"] else None

    found = until(rest, 600)
    done = Counter(next(iter(one)) for one in accepted)
    sys.stdout.write(f"{dict(killer.killed)} {dict(done)} {found['run']} {found['steps']}\n")
    look_at(found, accepted, facts)
    assert len(killer.killed) >= len(KINDS) - 1


def look_at(found, accepted, facts):
    uploads = [one["upload"] for one in accepted if "upload" in one]
    assert uploads
    whole = ["succeeded", facts["rows"]]
    assert [one for one in uploads if found["uploads"][one] != whole] == []
    assert found["conversations"] == sum(rows for _, rows in found["uploads"].values())
    asked_for = [one["generation"] for one in accepted if "generation" in one]
    assert asked_for
    assert set(asked_for) <= set(found["answers"])
    assert len(found["answers"]) == found["questions"]
    for one in asked_for:
        state, has_text, has_sentence = found["answers"][one]
        assert (state == "succeeded" and has_text) or (state == "interrupted" and has_sentence), one
    assert found["lost"] == []
    assert found["run"][0] == "succeeded", found["run"]
    assert found["ends"] == 1
    count, different, last = found["steps"]
    assert count == different > 0
    assert last > 0
    assert found["same"]
