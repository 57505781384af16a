"""The laws of the house: directions of imports, budgets, what stands where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from otto_web.jobs import AT_START, JOBS

ROOT = Path(__file__).resolve().parents[1]
APPS = ["datasets_app", "training_app", "chat_app", "otto_web.loop", "otto_web.pages"]
PURE = [
    *("otto_web.lib.cores", "otto_web.lib.disk"),
    *("datasets_app.corpus", "datasets_app.knowledge", "training_app.lm", "chat_app.serving"),
]
OURS = {"datasets_app", "training_app", "chat_app", "otto_web"}
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
LAYERS = (  # a module of an app imports from its own layer and those before it
    {"models"},
    {"events"},
    {"selectors"},
    {"services"},
    {"jobs"},
    {"views", "forms", "consumers", "management", "urls", "routing", "sweeps"},
)
NO_LAYER = {"__init__", "apps", "migrations"}  # what Django itself looks for
PACKAGES = {  # beside its rooms an app may hold
    "datasets_app": {"corpus", "knowledge", "sample"},  # pure; the invented shop is data
    "training_app": {"lm"},  # the pure package
    "chat_app": {"serving"},  # the pure package
}
LONGEST_FUNCTION, LONGEST_FILE = 60, 600
LONGEST_TEMPLATE_LINE = 140


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return everything in a module, parsed once for all laws."""
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


@cache
def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "-z", *patterns], cwd=ROOT, text=True)
    return [path for name in listed.split("\0") if name and (path := ROOT / name).exists()]


def sources(package: str) -> list[Path]:
    """Return the modules of a package, or a module, generated migrations left out."""
    place = package.replace(".", "/")
    paths = tracked(f"{place}/*.py", f"{place}.py")
    return [path for path in paths if "migrations" not in path.parts]


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def begins(name: str, packages: list[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.slow
@pytest.mark.parametrize("package", PURE)
def test_pure_packages_import_no_framework_and_only_packages_to_their_left(package):
    allowed = PURE[: PURE.index(package) + 1]
    for path in sources(package):
        for name in imports(path):
            first = name.split(".")[0]
            assert first not in FRAMEWORKS, f"{path}: {name}"
            is_parent_of_allowed = any(pure.startswith(f"{name}.") for pure in allowed)
            assert first not in OURS or begins(name, allowed) or is_parent_of_allowed, path


@pytest.mark.slow
@pytest.mark.parametrize("app", APPS)
def test_apps_import_only_to_the_left(app):
    right = APPS[APPS.index(app) + 1 :]
    for path in sources(app):
        assert not any(begins(name, right) for name in imports(path)), path


def test_lib_imports_no_app():
    for path in sources("otto_web.lib"):
        for name in imports(path):
            assert not begins(name, APPS), f"{path}: {name}"


@pytest.mark.slow
def test_nobody_imports_the_wiring():
    wiring = ["otto_web.urls", "otto_web.routing", "otto_web.asgi"]
    starter = ROOT / "otto_web/pages/management/commands/run_web.py"  # it serves the wiring
    for app in APPS:
        for path in set(sources(app)) - {starter}:
            assert not any(begins(name, wiring) for name in imports(path)), path


def app_of(module: str) -> str | None:
    return next((app for app in APPS if begins(module, [app])), None)


def layer(module: str) -> int | None:
    """Return the layer of an app's module; pure packages and the sample have none."""
    app = app_of(module)
    room = module.removeprefix(f"{app}.").split(".")[0]
    names = LAYERS if app else ()
    return next((place for place, found in enumerate(names) if room in found), None)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def import_graph() -> dict[str, set[str]]:
    """Return which of our modules each of our modules imports."""
    paths = {module_name(path): path for package in sorted(OURS) for path in sources(package)}
    return {name: set(imports(path)) & set(paths) - {name} for name, path in paths.items()}


@pytest.mark.slow
def test_an_app_imports_only_down_its_layers():
    for importer, imported in import_graph().items():
        app, place = app_of(importer), layer(importer)
        for name in imported if place is not None else ():
            other = layer(name) if app_of(name) == app else None
            assert other is None or other <= place, f"{importer} imports {name}"


@pytest.mark.parametrize("app", APPS)
def test_nothing_lies_at_an_apps_root_but_its_rooms(app):
    root = ROOT / app.replace(".", "/")
    allowed = set().union(*LAYERS, NO_LAYER, PACKAGES.get(app, ()))
    found = {path.relative_to(root).parts[0].removesuffix(".py") for path in tracked(f"{root}/*")}
    assert found <= allowed, found - allowed


def test_no_modules_import_each_other_in_a_circle():
    try:
        tuple(TopologicalSorter(import_graph()).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_every_hint_names_a_job_of_the_registry():
    hinted = re.compile(r"""\bhint\(\s*"([^"]+)\"""")
    texts = [path.read_text("utf-8") for package in OURS for path in sources(package)]
    assert {name for text in texts for name in hinted.findall(text)} <= set(JOBS)


@pytest.mark.parametrize("job", [*JOBS.values(), *AT_START], ids=lambda job: job.place)
def test_every_job_of_the_registry_is_there(job):
    module, _, function = job.place.partition(":")
    tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.slow
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
    """Only the rows of an app can be imported from their package: Django wants them there."""
    packages = [path for path in tracked("*__init__.py") if path.parent.name != "models"]
    full = [path for path in packages if path.read_text("utf-8").strip()]
    assert full in ([], [ROOT / "otto_web/__init__.py"])


def function_lengths(package: str) -> Iterator[tuple[int, str]]:
    for path in sources(package):
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield length, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_functions_are_short():
    lengths = [found for package in sorted(OURS) for found in function_lengths(package)]
    long = [where for length, where in lengths if length > LONGEST_FUNCTION]
    assert not long


def test_files_are_short():
    paths = [*tracked("tests/*.py"), *(path for package in OURS for path in sources(package))]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in paths}
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE}


def test_template_lines_are_short():
    for path in tracked("templates/*.html"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert len(line) <= LONGEST_TEMPLATE_LINE, f"{path.relative_to(ROOT)}:{number}"


def test_the_repository_holds_what_the_plan_names():
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found <= TOP_LEVEL, found - TOP_LEVEL


@pytest.mark.slow
def test_no_file_names_a_machine():
    spoken = re.compile(r"(?<!\w)/(work|home|root)/")  # as a path begins, not inside one
    for path in tracked("*.py", "*.md", "*.txt", "*.yml", "Makefile", "Dockerfile", ".ci/*"):
        text = path.read_text("utf-8", errors="replace")
        if path != Path(__file__):
            assert not spoken.search(text), path


def public_functions(package: str) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Yield place, function and docstring; what a constructor does stands at its class."""
    for path in sources(package):
        for owner in nodes(path):
            is_class = isinstance(owner, ast.ClassDef) and not owner.name.startswith("_")
            for item in owner.body if is_class or isinstance(owner, ast.Module) else ():
                if not isinstance(item, ast.FunctionDef):
                    continue
                makes = is_class and item.name in {"__init__", "__post_init__"}
                if makes or not item.name.startswith("_"):
                    told = " ".join((ast.get_docstring(owner if makes else item) or "").split())
                    yield f"{path.relative_to(ROOT)}:{item.lineno} {item.name}", item, told


# their docstrings give shapes and errors
EXACT = ["datasets_app.knowledge", "training_app.lm", "chat_app.serving"]
ARRAYS = re.compile(r"\b(Array|NDArray|Tensor|Scores|Batch|Windows|Weights|Views)\b")
SIZE = r"(\.\.\.|[\w\[\]]+( [-+*/] [\w\[\]]+)*)"
SHAPE = re.compile(rf"\({SIZE}(,|(, {SIZE})+)\)")  # (n,), (rows, vocab_size), (..., in)


@pytest.mark.parametrize("package", EXACT)
def test_what_takes_or_gives_arrays_says_their_shape(package):
    for where, function, told in public_functions(package):
        result = ast.unparse(function.returns) if function.returns else ""
        if ARRAYS.search(f"{ast.unparse(function.args)} {result}"):
            assert function.name.startswith("_") or SHAPE.search(told), where


@pytest.mark.parametrize("package", EXACT)
def test_what_is_public_says_what_it_does_and_what_it_raises(package):
    for where, function, told in public_functions(package):
        assert told, where
        raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
        for error in filter(None, raised):
            name = ast.unparse(error.func if isinstance(error, ast.Call) else error)
            helps = not name[0].isupper() and "Raises" in told  # a helper makes the error
            assert name in told or helps, where
