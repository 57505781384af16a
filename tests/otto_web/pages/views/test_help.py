"""The topics of the help, and programs in them that run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils.html import escape

from otto_web.pages.selectors.topics import EXAMPLES

ROOT = Path(__file__).parents[4]
SAID = {
    "quality_rule": "WE OPEN AT NINE IN THE MORNING. → excluded ['shouting']",
    "layout": "<dt>Is 3 &lt; 4?</dt><dd>Yes.</dd>",
    "pattern": "What does the blue badge cost? → The blue badge costs 12 euros a year.",
    "provider": "House was asked: When do you open?",
    "schedule": "60% done: 0.000500",
}
TOPICS = {
    "quick-start": "manage.py pipeline FILE --epochs 3 --batch-size 4",
    "loss": "Settings that matter, in this order",
    "web": "From addresses to a model that answers",
    "programming": "Four packages without a server",
    "developing": "make check",
}


@pytest.mark.django_db
@pytest.mark.checklist(255)
def test_the_five_topics_are_led_to_and_say_what_they_are_about(client_of, mia, client):
    member = client_of(mia)
    index = member.get(reverse("help")).text
    for word in ("loss", "bits per byte", "preset", "chunk", "LoRA", "quote", "validation"):
        assert f"<dt>{word}</dt>" in index
    for topic, words in TOPICS.items():
        address = reverse(f"help-{topic}")
        assert f'href="{address}"' in index
        assert words in " ".join(member.get(address).text.split())
        assert client.get(address).status_code == 302


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.checklist(196)
def test_every_example_of_an_extension_point_runs_as_the_page_shows_it(client_of, mia):
    page = client_of(mia).get(reverse("help-programming")).text
    assert len(EXAMPLES) == len(SAID) == 5
    for name in EXAMPLES:
        path = ROOT / "docs" / "examples" / f"{name}.py"
        assert escape(path.read_text("utf-8").rstrip()) in page
        done = subprocess.run(
            [sys.executable, str(path)],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert SAID[name] in done.stdout
