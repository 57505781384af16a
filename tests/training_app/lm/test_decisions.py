"""Minutes become updates once, by a measurement that a busy neighbour does not spoil."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from training_app.lm import decisions
from training_app.lm.config import TrainConfig
from training_app.lm.decisions import Decisions, TimeBudget, Trial, decide, seconds_per_update
from training_app.lm.loop import Batch

QUICK, SLOW = 0.002, 0.03
MINUTE = TrainConfig(minutes=1, compile="off", precision="fp32")


class Clock:
    """A clock that only the test's own updates move: no neighbour has a say."""

    now = 1000.0

    def monotonic(self):
        return self.now

    perf_counter = monotonic

    def sleep(self, seconds):
        self.now += seconds


CLOCK = Clock()


class Slowed(nn.Module):
    """A network of one weight whose updates take as long as they are told."""

    def __init__(self, spans):
        super().__init__()
        self.model = nn.Linear(1, 1, bias=False)
        self.spans = iter(spans)

    def forward(self, ids, targets, weights):
        CLOCK.sleep(next(self.spans))
        return (self.model(ids.float().unsqueeze(-1)) * weights.unsqueeze(-1)).sum()


def trial_of(spans):
    ones = torch.ones(1, 4)
    batch = Batch(ones.long(), ones.long(), ones)
    return Trial(Slowed(spans), lambda _: [batch], bf16=False, cache=None)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch):
    monkeypatch.setattr(decisions, "_TRIAL_SECONDS", 0.2)
    monkeypatch.setattr(decisions, "time", CLOCK)


def measured(spans):
    trial = trial_of(spans)
    return seconds_per_update(MINUTE, trial, trial.fast)


def forever(span):
    while True:
        yield span


def test_the_first_update_is_not_part_of_the_measurement():
    assert measured([0.2, *[QUICK] * 200]) < 4 * QUICK


def test_a_machine_that_is_busy_for_a_moment_is_timed_again():
    busy = [QUICK, *[SLOW, QUICK, SLOW, SLOW] * 2]
    assert measured([*busy, *[QUICK] * 200]) < 4 * QUICK


def test_measuring_ends_on_a_machine_that_never_calms_down():
    began = CLOCK.monotonic()
    restless = [QUICK, SLOW, SLOW] * 200
    assert measured(restless) < SLOW + 0.02
    assert CLOCK.monotonic() - began < 3


def test_the_measurement_changes_no_weight():
    trial = trial_of(forever(QUICK))
    before = trial.fast.model.weight.detach().clone()
    seconds_per_update(MINUTE, trial, trial.fast)
    assert torch.equal(before, trial.fast.model.weight)


@pytest.mark.parametrize("prepared_for", [0, 55, 500])
def test_minutes_train_for_half_of_them_at_least_however_long_the_start_took(prepared_for):
    budget = TimeBudget(CLOCK.monotonic() - prepared_for, reserve_seconds=60, train_tokens=1000)
    decided = decide(MINUTE, trial_of(forever(QUICK)), budget, say=print)
    trained = decided.steps * decided.seconds_per_update
    expected = max(30, 48 - prepared_for)
    assert trained == pytest.approx(expected, rel=0.05)


def test_compiling_is_kept_only_where_it_is_faster(monkeypatch):
    monkeypatch.setattr(decisions, "_should_compile", lambda *_: True)
    monkeypatch.setattr(
        decisions, "runnable", lambda fast, _: lambda *b: CLOCK.sleep(SLOW) or fast(*b)
    )
    budget = TimeBudget(CLOCK.monotonic(), reserve_seconds=0, train_tokens=1000)
    phases: list[str] = []
    auto = decide(
        replace(MINUTE, compile="auto"), trial_of(forever(QUICK)), budget, say=phases.append
    )
    told = decide(replace(MINUTE, compile="on"), trial_of(forever(QUICK)), budget, say=print)
    assert (auto.compiled, told.compiled, phases) == (False, True, ["compiling"])


def test_decisions_survive_json_so_that_a_later_attempt_does_the_same():
    decided = Decisions(steps=7, threads=1, bf16=True, compiled=False, seconds_per_update=0.1)
    assert Decisions.given(decided.as_json()) == decided
    assert Decisions.given({}) is None
