"""Runs the benchmarks: `python -m tests.bench.run [NAME ...]`, as `make bench` lists them.

A benchmark is a module `bench_NAME` with `run() -> dict[str, float]` and `SMALLEST`: other values
of its constants, with which a test shows that it still runs. Each runs in a process of its own,
so that none inherits another's threads or memory. Prints a table and, last, one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ONE = "import json, {module} as bench; {prepare}; print(json.dumps(bench.run()))"


def names() -> list[str]:
    """Return the benchmarks that exist."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def figures(name: str, *, smallest: bool = False) -> dict[str, float]:
    """Return the figures of one benchmark; its own words go to the terminal's error stream."""
    prepare = "vars(bench).update(bench.SMALLEST)" if smallest else "pass"
    script = ONE.format(module=f"tests.bench.bench_{name}", prepare=prepare)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=FOLDER.parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(chosen: list[str]) -> None:
    if unknown := set(chosen) - set(names()):
        sys.exit(f"No benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}.")
    everything: dict[str, float] = {}
    for name in chosen or names():
        for title, figure in figures(name).items():
            print(f"{name:8} {title:44} {figure:14,.2f}", flush=True)  # noqa: T201
            everything[f"{name}.{title}"] = round(figure, 4)
    print(json.dumps(everything))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
