"""`make demo`'s command: the whole loop without a browser, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

WANTED = {
    "conversations",
    "version",
    "run",
    "train_loss_first",
    "train_loss_last",
    "val_loss",
    "perplexity",
    "bits_per_byte",
    "tokens_per_second",
    "parity_max_error",
    "reply",
    "reply_tokens_per_second",
    "seconds",
}


@pytest.mark.slow
@pytest.mark.checklist(250)
def test_the_demo_goes_from_files_to_an_answer_and_back_into_the_data(tmp_path):
    ours = {"DJANGO_SETTINGS_MODULE": "otto_web.settings", "OTTO_VAR_DIR": str(tmp_path / "var")}
    foreign = {"DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR", "OTTO_SECRET_KEY"}
    env = {name: value for name, value in os.environ.items() if name not in foreign} | ours
    command = [sys.executable, "manage.py", "demo", "--steps", "60"]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.strip().splitlines()
    answer = json.loads(last)
    assert answer.keys() >= WANTED
    assert answer["state"] == "done"
    assert answer["conversations"] > 3_000  # the sample, and the exchange that came back
    assert answer["train_loss_last"] < answer["train_loss_first"] - 1
    assert answer["parity_max_error"] < 1e-4
    assert [line for line in lines if line.startswith("9/9 done")]
