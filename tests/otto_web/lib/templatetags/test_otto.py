"""Badges, times and titles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import timezone

from datasets_app.models import FileState, Status
from otto_web.lib.models import ProcessState
from otto_web.lib.templatetags import otto
from otto_web.lib.work.states import State
from training_app.models import ModelState

ENUMS = (
    State,
    ModelState,
    FileState,
    Status,
    ProcessState,
)


@pytest.mark.parametrize("state", [state for enum in ENUMS for state in enum])
def test_every_state_of_the_house_has_a_look_with_icon_word_and_tone(state):
    assert state.value in otto.LOOKS
    badge = otto.state_badge(state)
    assert "<svg" in badge
    assert f"<span>{state.value}</span>" in badge


def test_a_badge_escapes_its_label():
    assert "&lt;b&gt;" in otto.state_badge("ready", "<b>")


def test_a_badge_is_a_tag_and_a_filter():
    drawn = Template("{% load otto %}{% state_badge s %}{{ s|state_badge }}").render(
        Context({"s": "kept"})
    )
    assert drawn.count("badge-good") == 2


def test_a_time_is_sent_in_utc_and_read_in_the_viewers_zone():
    with timezone.override("Europe/Berlin"):
        shown = otto.when(datetime(2026, 5, 3, 12, 20, tzinfo=UTC))
    assert 'datetime="2026-05-03T12:20:00+00:00"' in shown
    assert "03 May 2026, 14:20 CEST" in shown


def test_no_time_is_a_dash():
    assert otto.when(None) == "–"
