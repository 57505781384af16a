"""`make demo`'s command: the whole loop without a browser, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests import walled

WANTED = {
    "conversations",
    "version",
    "run",
    "base",
    "train_loss_first",
    "train_loss_last",
    "validation_loss",
    "perplexity",
    "bits_per_byte",
    "tokens_per_second",
    "parity_max_error",
    "reply",
    "reply_tokens_per_second",
    "seconds",
}


def fresh_env(folder):
    """Return the environment of a fresh installation whose home is empty."""
    (folder / "home").mkdir()
    foreign = {"DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR", "OTTO_SECRET_KEY"}
    foreign |= {"ORT_DISABLE_TELEMETRY", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"}
    return {name: value for name, value in os.environ.items() if name not in foreign} | {
        "DJANGO_SETTINGS_MODULE": "otto_web.settings",
        "OTTO_VAR_DIR": str(folder / "var"),
        "HOME": str(folder / "home"),
        "OTTO_BASES": "1",
        "OTTO_PIP_ARGS": "--no-index --isolated",  # an offline machine
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo, in a network that leads nowhere and with its calls noted, where that is allowed."""
    folder = tmp_path_factory.mktemp("demo")
    walls = [*walled.wall(), *walled.trace(folder / "calls")]
    command = [*walls, sys.executable, "manage.py", "demo", "--steps", "60"]
    done = subprocess.run(
        command, env=fresh_env(folder), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout.strip().splitlines()


@pytest.mark.slow
@pytest.mark.checklist(250)
def test_the_demo_goes_from_files_to_an_answer_and_back(demo):
    _, (*lines, last) = demo
    answer = json.loads(last)
    assert answer.keys() >= WANTED
    assert answer["state"] == "succeeded"
    assert answer["conversations"] >= 3_000
    assert answer["train_loss_last"] < answer["train_loss_first"] - 1
    assert answer["parity_max_error"] < 1e-4
    assert answer["base"] is None  # none is here: it was trained from nothing
    assert any("No base model is here" in line and "could not be fetched" in line for line in lines)
    assert [line for line in lines if line.startswith("11/11 done")]


@pytest.mark.slow
def test_nothing_of_the_demo_calls_outside_or_writes_into_the_home(demo):
    folder, _ = demo
    written = (path for path in (folder / "home").rglob("*") if path.is_file())
    # pip asks rustc for its version, and on some machines that is rustup's, which notes settings
    assert [path for path in written if ".rustup" not in path.parts] == []
    if not walled.wall():
        pytest.skip("this machine allows no network namespace (unshare --net, ip link)")
    if not walled.trace(folder / "none"):
        pytest.skip("this machine has no strace, or does not allow it")
    assert (folder / "calls").stat().st_size  # the servers of this machine were called, and noted
    assert walled.calls_outside(folder / "calls") == []


@pytest.mark.slow
def test_every_process_tells_its_libraries_to_be_silent(tmp_path):
    script = "import otto_web.settings, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    env = fresh_env(tmp_path) | {"ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.check_output([sys.executable, "-c", script], env=env, text=True)
    assert done.strip() == "1"


def test_a_call_for_a_name_outside_is_seen(tmp_path):
    log = tmp_path / "calls"
    if not (words := [*walled.wall(), *walled.trace(log)]) or not walled.trace(log):
        pytest.skip("this machine allows no network namespace or no strace")
    script = "import socket; socket.socket().connect_ex(('192.0.2.1', 80))"
    subprocess.run([*words, sys.executable, "-c", script], check=True)
    assert len(walled.calls_outside(log)) == 1
