"""The documents say what is there: commands, targets, paths, links, sizes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SHELF = [
    ROOT / "tests/acceptance/checklist.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
PAGES = [README, ROOT / "CHANGELOG.md", *SHELF, *DECISIONS]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PROMISED = (
    *("import_files", "check_quality", "freeze", "train", "evaluate", "export_model", "deploy"),
    *("chat", "pipeline", "up", "run_web", "run_engine", "run_reaper"),
)
REGISTRIES = [
    ".".join(parts)
    for parts in (
        *(("pypi", "org"), ("pythonhosted", "org"), ("download", "pytorch", "org")),
        *(("npmjs", "org"), ("npmjs", "com"), ("anaconda", "org"), ("crates", "io")),
        *(("rubygems", "org"), ("ghcr", "io"), ("proxy", "golang", "org")),
    )
]


def tracked():
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def name(path):
    return str(path.relative_to(ROOT))


def code_of(path):
    """Return everything that a page shows as code."""
    text = path.read_text("utf-8")
    return "\n".join([*FENCED.findall(text), *CODE.findall(FENCED.sub("", text))])


def anchors(path):
    """Return the addresses of a page's headings."""
    titles = HEADING.findall(FENCED.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_that_a_page_names_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)|(?<=`)make ([a-z]+)", code_of(page))) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_management_command_that_a_page_names_exists(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text("utf-8")))
    assert named - set(get_commands()) == set()


@pytest.mark.parametrize("command", PROMISED)
def test_every_promised_command_is_documented(command):
    texts = [page.read_text("utf-8") for page in (README, *sorted((ROOT / "docs").glob("*.md")))]
    assert any(f"manage.py {command}" in text for text in texts)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_exists(page):
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    words = re.findall(r"[\w./*-]+", "\n".join(CODE.findall(FENCED.sub("", page.read_text()))))
    paths = {word for word in words if "/" in word and word.split("/")[0] in tops}
    assert sorted(word for word in paths if not list(ROOT.glob(word))) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_the_project_leads_somewhere(page):
    broken = []
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        if link.startswith(("http://", "https://")):
            continue
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_variable_that_a_page_names_is_a_setting(page):
    known = set(re.findall(r"^#?(OTTO_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known.add("OTTO_PUBLISH")  # of docker-compose.yml alone
    assert set(re.findall(r"\bOTTO_[A-Z_]*[A-Z]\b", page.read_text("utf-8"))) <= known


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").splitlines()) < 150


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_fits_on_a_screen_and_has_its_three_parts(page):
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_no_file_names_a_package_registry():
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        assert [host for host in REGISTRIES if host in text] == [], path


@pytest.mark.checklist(146)
def test_the_project_has_its_licence_its_citation_and_its_history():
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "cff-version" in (ROOT / "docs/CITATION.cff").read_text("utf-8")
    assert (ROOT / "CHANGELOG.md").read_text("utf-8").startswith("# Changes")


@pytest.mark.checklist(415)
def test_starting_without_docker_is_told_for_each_system():
    text = (ROOT / "docs/OPERATIONS.md").read_text("utf-8")
    section = text.split("## Windows, macOS, Linux")[1].split("\n## ")[0]
    assert all(name in section for name in ("Windows", "WSL", "macOS", "Linux"))
