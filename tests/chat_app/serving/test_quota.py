"""A container's quota decides how many threads the engine works with, not the machine's cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests import namespaces
from tests.training_app.conftest import ROOT

pytestmark = pytest.mark.slow
COUNT = """
import json, os, sys
from pathlib import Path
from chat_app.serving.requests import ModelKey
from chat_app.serving.loaded import load_model
from otto_web.lib.cores import usable_cores
before = set(os.listdir("/proc/self/task"))
model = load_model(ModelKey(Path(sys.argv[1])), slots=2)
added = set(os.listdir("/proc/self/task")) - before
print(json.dumps({"cores": usable_cores(), "working": 1 + len(added)}))
"""


def counted(folder, words):
    command = [*words, sys.executable, "-c", COUNT, str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": ""}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("cores", [1.0, 1.9, 0.25])
def test_the_engine_takes_no_more_threads_than_the_quota(trained_folder, cores):
    assert counted(trained_folder, namespaces.quota(cores)) == {"cores": 1, "working": 1}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="it takes two cores to have two")
def test_without_a_quota_it_takes_those_of_the_machine(trained_folder):
    found = counted(trained_folder, namespaces.quota(10_000))
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["working"] > 1
