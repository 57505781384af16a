"""The laws of the house: directions of imports, budgets, what stands where."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ["datasets_app", "training_app", "chat_app"]
PURE = ["datasets_app.corpus", "training_app.lm", "chat_app.serving"]
OURS = {*APPS, "otto_web"}
FRAMEWORKS = {
    *("django", "celery", "kombu", "channels", "channels_redis", "redis"),
    *("psycopg", "daphne", "asgiref", "django_htmx"),
}
HEAVY = {"torch", "transformers", "optimum", "onnx", "onnxruntime"}
TOP_LEVEL = {
    *(".ci", ".dockerignore", ".env.example", ".github", ".gitignore", ".pre-commit-config.yaml"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md"),
    *("chat_app", "datasets_app", "docs", "otto_web", "static", "templates", "tests"),
    *("docker-compose.yml", "manage.py", "pyproject.toml"),
    *("requirements-dev.txt", "requirements.txt", "training_app"),
}
LONGEST_FUNCTION, LONGEST_FILE, MEDIAN_LINES, NINETY_PERCENT_LINES = 50, 400, 10, 25


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "-z", *patterns], cwd=ROOT, text=True)
    return [path for name in listed.split("\0") if name and (path := ROOT / name).exists()]


def sources(package: str) -> list[Path]:
    """Return the modules of a package, generated migrations left out."""
    paths = tracked(f"{package.replace('.', '/')}/*.py")
    return [path for path in paths if "migrations" not in path.parts]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def begins(name: str, packages: list[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_import_no_framework_and_only_packages_to_their_left(package):
    allowed = PURE[: PURE.index(package) + 1]
    for path in sources(package):
        for name in imports(path):
            first = name.split(".")[0]
            assert first not in FRAMEWORKS, f"{path}: {name}"
            is_parent_of_allowed = any(pure.startswith(f"{name}.") for pure in allowed)
            assert first not in OURS or begins(name, allowed) or is_parent_of_allowed, path


@pytest.mark.parametrize("app", APPS)
def test_apps_import_only_to_the_left(app):
    right = set(APPS[APPS.index(app) + 1 :])
    for path in sources(app):
        assert right.isdisjoint(name.split(".")[0] for name in imports(path)), path


def test_lib_imports_no_app():
    for path in sources("otto_web.lib"):
        for name in imports(path):
            assert not begins(name, [*APPS, "otto_web.pages"]), f"{path}: {name}"


def test_nobody_imports_the_wiring():
    wiring = ["otto_web.urls", "otto_web.routing", "otto_web.asgi"]
    for app in APPS:
        for path in sources(app):
            assert not any(begins(name, wiring) for name in imports(path)), path


def test_the_web_process_starts_without_the_ml_stack(tmp_path):
    script = (
        "import sys, otto_web.asgi, otto_web.urls, django.urls\n"
        "import otto_web.pages.management.commands.run_web\n"
        "django.urls.get_resolver().url_patterns\n"
        f"print(*({HEAVY!r} & set(sys.modules)))"
    )
    env = {"PATH": "/usr/bin:/bin", "OTTO_VAR_DIR": str(tmp_path)}
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True, cwd=ROOT, env=env)
    assert loaded.strip() == ""


def test_package_files_are_empty():
    full = [path for path in tracked("*__init__.py") if path.read_text("utf-8").strip()]
    assert full in ([], [ROOT / "otto_web/__init__.py"])


def function_lengths(package: str) -> Iterator[tuple[int, str]]:
    for path in sources(package):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield length, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_functions_are_short():
    lengths = [found for package in sorted(OURS) for found in function_lengths(package)]
    long = [where for length, where in lengths if length > LONGEST_FUNCTION]
    assert not long
    numbers = [length for length, _ in lengths]
    assert median(numbers) <= MEDIAN_LINES
    assert quantiles(numbers, n=10)[-1] <= NINETY_PERCENT_LINES


def test_files_are_short():
    paths = [*tracked("tests/*.py"), *(path for package in OURS for path in sources(package))]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in paths}
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE}


def test_the_repository_holds_what_the_plan_names():
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found <= TOP_LEVEL, found - TOP_LEVEL


def test_no_file_names_a_machine():
    spoken = ("/" + "work/", "/home/", "/root/")
    for path in tracked("*.py", "*.md", "*.txt", "*.yml", "Makefile", "Dockerfile", ".ci/*"):
        text = path.read_text("utf-8", errors="replace")
        if path != Path(__file__):
            assert not any(word in text for word in spoken), path
