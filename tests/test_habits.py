"""What runs by itself (continuous integration, hooks at a commit) runs what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
HOOK = {hook["id"]: hook for hook in HOOKS}


def steps(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_only_targets_and_scripts_that_exist(workflow):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in steps(workflow):
        words = line.removeprefix("sudo ").split()
        assert words[1] in targets if words[0] == "make" else (ROOT / words[0]).is_file(), line


def test_every_python_that_we_promise_is_tried():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    tried = jobs["test"]["strategy"]["matrix"]["python"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert oldest == f">={tried[0]}"
    assert jobs["lint"]["steps"][1]["with"]["python-version"] == tried[0]


def test_a_hook_runs_what_lint_runs():
    makefile = (ROOT / "Makefile").read_text()
    for name in ("ruff", "ruff-format", "mypy", "djade"):
        words = HOOK[name]["entry"].removeprefix(".venv/bin/").replace(" --force-exclude", "")
        assert words in makefile.replace("$(VENV)/bin/", "").replace("$(PY) -m ", ""), name


@pytest.mark.parametrize(
    ("message", "is_good"),
    [
        ("data: Read semicolons.\n\nTables from spreadsheets have them.\n", True),
        (f"data: {'x' * 65}.\n".replace("x", "X", 1), True),
        (f"data: {'x' * 66}.\n".replace("x", "X", 1), False),
        ("Read semicolons.\n", False),
        ("data: read semicolons.\n", False),
        ("data: Read semicolons\n", False),
    ],
)
def test_the_hook_for_messages_wants_an_area_and_a_sentence(message, is_good):
    assert bool(re.search(HOOK["message"]["entry"], message, re.MULTILINE)) == is_good
