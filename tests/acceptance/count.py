"""Counts the rows of checklist.md that a test shows: `python -m tests.acceptance.count`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
TESTS = FOLDER.parent
PAGE = FOLDER / "checklist.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)


def rows() -> dict[int, str]:
    """Return the titles by number."""
    return {int(number): title for number, _, title in ROW.findall(PAGE.read_text("utf-8"))}


def shown() -> dict[int, list[str]]:
    """Return, by row, the tests that carry its number."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for number, name in _marks(ast.parse(path.read_text("utf-8"))):
            found.setdefault(number, []).append(f"{path.relative_to(TESTS.parent)}::{name}")
    return found


def _marks(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                yield from ((number, node.name) for number in _numbers(mark))


def _numbers(mark: ast.expr) -> Iterator[int]:
    if not (isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.checklist"):
        return
    for argument in mark.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int):
            yield argument.value


def main() -> None:
    titles, tests = rows(), shown()
    for number, title in titles.items():
        if number not in tests:
            print(f"open {number:4}  {title}")  # noqa: T201
    print(f"{len(tests.keys() & titles.keys())} of {len(titles)} rows are shown by a test")  # noqa: T201


if __name__ == "__main__":
    main()
