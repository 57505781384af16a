"""How fast a 100 MB file of conversations becomes judged rows, and how much memory that takes.

    python -m tests.bench.bench_import

The command of the product runs as a process of its own, with servers of its own in a temporary
folder; starting them is not counted.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 100
SMALLEST = {"MEGABYTES": 1}
NOUNS = "order parcel invoice refund jacket kettle lamp account voucher password".split()
VERBS = "find return change cancel track update repair exchange".split()
ENDS = (
    "Please open the page of your orders and choose the one you mean.",
    "It takes two or three working days, and you get a message when it is done.",
    "If that does not help, write to us again with the number on the label.",
    "Our shop is open from nine to six, and we are glad to help you there as well.",
    "You will find the form at the bottom of the page, beside the delivery note.",
)


def run() -> dict[str, float]:
    """Return megabytes and conversations per second and the importing process's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.jsonl"
        write_conversations(path, MEGABYTES * 1_000_000)
        small = Path(folder) / "one.jsonl"
        write_conversations(small, 1_000)
        start = imported(small, Path(folder) / "var")["seconds"]
        told = imported(path, Path(folder) / "var")
        seconds = told["seconds"] - start
        return {
            "import_mb_per_second": MEGABYTES / seconds,
            "import_conversations_per_second": told["conversations"] / seconds,
            "import_peak_rss_mb": told["peak_memory_mb"],
            "import_conversations": told["conversations"],
        }


def write_conversations(path: Path, size: int) -> None:
    """Write varied two-turn and four-turn conversations until the file has its size."""
    dice = random.Random(7)  # noqa: S311 - the same file at every run
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            turns = []
            for _ in range(dice.choice((1, 1, 1, 2))):
                noun, verb, number = dice.choice(NOUNS), dice.choice(VERBS), dice.randrange(10**6)
                question = f"How can I {verb} my {noun}? The number is {number}."
                answer = f"You can {verb} the {noun} {number}. " + " ".join(
                    dice.sample(ENDS, dice.randint(1, 4))
                )
                turns += [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": answer},
                ]
            written += file.write(json.dumps({"messages": turns}) + "\n")


def imported(path: Path, var: Path) -> dict[str, float]:
    """Import the file by the product's command and return what it says."""
    command = [sys.executable, "manage.py", "import_files", str(path), "--json"]
    environment = {**os.environ, "OTTO_VAR_DIR": str(var), "OTTO_DATA_DIR": str(var / "data")}
    environment.pop("DATABASE_URL", None)
    environment.pop("REDIS_URL", None)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


if __name__ == "__main__":
    print(json.dumps({name: round(value, 1) for name, value in run().items()}))  # noqa: T201
