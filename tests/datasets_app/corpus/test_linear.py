"""No text makes a pattern of the corpus slow: each is linear in whatever it is given."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from datasets_app import corpus
from datasets_app.corpus.chunks.cutting import cut
from datasets_app.corpus.chunks.headings import markdown_headings
from datasets_app.corpus.chunks.settings import HEADINGS, Settings
from datasets_app.corpus.detection import kinds
from datasets_app.corpus.parsing import json_scan
from datasets_app.corpus.readers import reading
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.source import CorpusError, Record

FILLERS = (
    *("\n", " ", "\t", "\r\n", " \n", "\u00a0", "\u3000", "a", "A", "é", "中", "\u0301", "\u200b"),
    *("1", "1 ", "1.", "1-", "12:", "a ", "a.", "a-", "a: ", "a'", "@", "a@", "://", "http://a."),
    *('"', '\\"', "\\", "'", "**", "*a", "`", "```\n", "~~~\n", "- [a", "- ", "|", "|-", "#", "# "),
    *("====\n", "/* ", "//", "(", "(a", "[", "[1", "{", '{"', "}", "<a ", "<", "+", "$1", "_", "%"),
    *(".. a", ":A", ":a: ", "a\n\n", "0 =", ",\n", "12:00:00,0 ", "?", "。"),
)
ENDS = "!x"  # a repetition that goes through to the end fails only there
WALKED = {json_scan.SKIP}  # its caller goes on where it stopped, so only that is asked below
CALLS = {"sub", "split", "findall", "search", "match", "finditer", "fullmatch", "subn"}


def modules():
    for found in pkgutil.walk_packages(corpus.__path__, corpus.__name__ + "."):
        yield importlib.import_module(found.name)


def held(value):
    """Yield the patterns that a module's name holds, also inside tuples, sets and tables."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from held(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from held(inner)


def written(module):
    """Yield the patterns that stand as text in a call of `re`."""
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and ast.unparse(node.func).startswith("re.") and node.func.attr in CALLS:
            assert isinstance(node.args[0], ast.Constant), f"{module}: name {ast.unparse(node)}"
            yield re.compile(node.args[0].value)


def patterns():
    found = {}
    for module in modules():
        for name, value in vars(module).items():
            for pattern in held(value):
                found.setdefault(pattern, f"{module.__name__.split('.')[-1]}.{name}")
        for pattern in written(module):
            found.setdefault(pattern, f"{module.__name__.split('.')[-1]}: {pattern.pattern[:20]}")
    return [pytest.param(pattern, id=name) for pattern, name in found.items()]


@contextmanager
def processor_seconds(most, what):
    """Fail when the block takes more time of a processor; a busy machine does not matter."""

    def fail(*_):
        pytest.fail(f"more than {most} s of a processor for {what!r}")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def filled(filler, size):
    return filler * (size // len(filler)) + ENDS


def search_all(pattern, text):
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    pattern.subn(given[:0], given)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", [found for found in patterns() if found.values[0] not in WALKED]
)
def test_a_pattern_is_linear_in_each_filler(pattern):
    for filler in FILLERS:
        with processor_seconds(0.5, filler):
            search_all(pattern, filled(filler, 25_000))


@pytest.mark.parametrize("line", ["# !\n", "# \u00a0!\n\n---\n", "# a\n"])
def test_headings_are_cut_at_in_linear_time_and_may_be_stopped(line):
    text, touched = line * 8_000, []
    headings = markdown_headings(text)
    with processor_seconds(2, line):
        cuts = cut(text, Settings(HEADINGS), headings, touch=lambda: touched.append(1))
    assert cuts
    assert len(touched) > len(headings)


@pytest.mark.chaos  # six minutes; what is quadratic shows in the test above
@pytest.mark.parametrize("filler", FILLERS)
def test_a_megabyte_of_one_filler_costs_each_pattern_no_more_than_its_length(filler):
    text = filled(filler, 1_000_000)
    for found in patterns():
        if found.values[0] not in WALKED:
            with processor_seconds(4, found.id):
                search_all(found.values[0], text)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.jsonl", "a.csv"])
def test_the_whole_way_of_a_file_is_linear_in_each_filler(name, tmp_path):
    path, rules = tmp_path / name, policy.standard()
    for filler in FILLERS:
        path.write_text(("{" if name.startswith("a.js") else "") + filled(filler, 100_000))
        with processor_seconds(4, filler):
            try:
                for item in reading.read(path, kinds.identify(path, name), name=name):
                    if isinstance(item, Record):
                        judge(item.conversation, rules)
            except CorpusError:
                pass  # refused or waiting for a person: that is an answer, too
