"""A process reports itself and hears that it should go."""

from __future__ import annotations

import os

import pytest

from otto_web.lib.beat import Beat, is_draining
from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from tests.waiting import until


@pytest.mark.slow
def test_a_process_has_one_row_while_it_lives(transactional_db):
    doing = ["import"]
    beat = Beat(ProcessKind.SHORT, on_drain=lambda: None, doing=lambda: doing[0])
    beat.start()
    until(ProcessBeat.objects.filter(state=ProcessState.BUSY, doing="import").exists)
    first = ProcessBeat.objects.get().seen_at
    doing[0] = ""
    until(ProcessBeat.objects.filter(state=ProcessState.IDLE, seen_at__gt=first).exists)
    assert ProcessBeat.objects.count() == 1
    beat.stop()
    assert not ProcessBeat.objects.exists()


@pytest.mark.slow
def test_a_drained_process_is_told_once(transactional_db):
    told = []
    beat = Beat(ProcessKind.TRAIN, on_drain=lambda: told.append(1))
    beat.start()
    until(ProcessBeat.objects.exists)
    assert not is_draining()
    ProcessBeat.objects.update(drain=True)
    until(ProcessBeat.objects.filter(state=ProcessState.DRAINING).exists)
    assert is_draining()
    for _ in range(2):  # further beats tell nobody again
        last = ProcessBeat.objects.get().seen_at
        until(ProcessBeat.objects.filter(seen_at__gt=last).exists)
    beat.stop()
    assert told == [1]


def test_asking_to_drain_marks_the_row_at_once(transactional_db, settings):
    settings.OTTO_PROCESS_BEAT_SECONDS = 30
    beat = Beat(ProcessKind.TRAIN, on_drain=lambda: None)
    beat.start()
    until(ProcessBeat.objects.filter(pid=os.getpid()).exists)
    beat.ask_to_drain()
    until(ProcessBeat.objects.filter(drain=True).exists)
    beat.stop()
