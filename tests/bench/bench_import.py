"""How fast a 100 MB file, and 1,500 small ones, become judged rows, and how much memory that takes.

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
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 100
SMALL_FILES = 1_500
SMALLEST = {"MEGABYTES": 1, "SMALL_FILES": 10}
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
        many = Path(folder) / "many.zip"
        write_small_files(many, SMALL_FILES)
        small_files = imported(many, Path(folder) / "var")["seconds"] - start
        return {
            "import_mb_per_second": MEGABYTES / seconds,
            "import_conversations_per_second": told["conversations"] / seconds,
            "import_peak_rss_mb": told["peak_memory_mb"],
            "import_conversations": told["conversations"],
            "import_small_files_seconds": small_files,
        }


def write_conversations(path: Path, size: int) -> None:
    """Write varied two-turn and four-turn conversations until the file has its size."""
    dice = random.Random(7)  # noqa: S311 - the same file at every run
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            turns = [turn for _ in range(dice.choice((1, 1, 1, 2))) for turn in exchange(dice)]
            told = [{"role": role, "content": text} for role, text in turns]
            written += file.write(json.dumps({"messages": told}) + "\n")


def exchange(dice: random.Random) -> list[tuple[str, str]]:
    """Return a question and its answer."""
    noun, verb, number = dice.choice(NOUNS), dice.choice(VERBS), dice.randrange(10**6)
    question = f"How can I {verb} my {noun}? The number is {number}."
    more = " ".join(dice.sample(ENDS, dice.randint(1, 4)))
    return [("user", question), ("assistant", f"You can {verb} the {noun} {number}. {more}")]


def write_small_files(path: Path, count: int) -> None:
    """Write an archive of JSON, transcripts and tables, a few exchanges in each."""
    dice = random.Random(3)  # noqa: S311 - the same files at every run
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            talks = [exchange(dice) for _ in range(dice.randint(2, 6))]
            if number % 3 == 0:
                told = [{"role": role, "content": text} for talk in talks for role, text in talk]
                archive.writestr(f"json/{number}.json", json.dumps({"messages": told}, indent=1))
            elif number % 3 == 1:
                lines = [f"Customer: {asked[1]}\nAgent: {told[1]}\n" for asked, told in talks]
                archive.writestr(f"talks/{number}.txt", "".join(lines))
            else:
                rows = [f'"{asked[1]}","{told[1]}"\n' for asked, told in talks]
                archive.writestr(f"tables/{number}.csv", "question,answer\n" + "".join(rows))


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
