"""How long the server takes for a dataset's table, and for a decision about all of its rows.

    python -m tests.bench.bench_table

200,000 judged conversations, servers of its own in a temporary folder. Each page is asked for
through the whole stack of middleware, views and templates; the network is left out. `_fresh` is the
first look after a change, when nothing is counted yet.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import time
from typing import Any

ROWS = 200_000
BATCH = 2_000
LOOKS = 9
SMALLEST = {"ROWS": 400, "BATCH": 200, "LOOKS": 2}
NOUNS = "order parcel invoice refund jacket kettle lamp account voucher password".split()
ENDS = (
    "Please open the page of your orders and choose the one you mean.",
    "It takes two or three working days, and you get a message when it is done.",
    "You will find the form at the bottom of the page, beside the delivery note.",
)
PAGES: dict[str, dict[str, str]] = {
    "first": {},
    "filter_sort": {"status": "kept", "sort": "longest"},
    "search": {"q": "voucher working days"},
    "rare_search": {"q": "parcel 4711"},
    "inside_search": {"q": "umber 47113"},
    "short_search": {"q": "7?"},
    "no_such_search": {"q": "退款政策"},
    "reason": {"reason": "echo"},
    "deep": {"after": "90000,90000"},
}


def run() -> dict[str, float]:
    """Return median and slowest milliseconds per page, and the seconds of bulk decisions."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OTTO_VAR_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "otto_web.settings_test"
        for name in ("DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR"):
            os.environ.pop(name, None)
        import django  # noqa: PLC0415 - reads the environment that was just set

        django.setup()
        from otto_web.servers.borrow import servers_for_command  # noqa: PLC0415 - after setup

        with servers_for_command("bench"):
            return _figures()


def _figures() -> dict[str, float]:
    dataset, person = _fill()
    found = _table_figures(dataset, person)
    return found | _decision_figures(dataset, person)


def _fill() -> tuple[Any, Any]:
    """Write the rows and return the dataset with a person who may see it."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415 - after setup
    from django.db import connection, transaction  # noqa: PLC0415

    from datasets_app.corpus.rules import policy  # noqa: PLC0415
    from datasets_app.services.datasets import create_dataset  # noqa: PLC0415
    from datasets_app.services.writing import NewRow, write_rows  # noqa: PLC0415

    person = User.objects.create_user("bench")
    person.groups.add(Group.objects.get(name="curator"))
    dataset = create_dataset("Bench", by=person)
    dice = random.Random(7)  # noqa: S311 - the same rows at every run
    for first in range(0, ROWS, BATCH):
        rows = [NewRow(_conversation(dice, n), f"{n}") for n in range(first, first + BATCH)]
        with transaction.atomic():
            write_rows(dataset, rows, policy.standard())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what the server does by itself some minutes later
    return dataset, person


def _conversation(dice: random.Random, number: int) -> Any:
    from datasets_app.corpus.conversation import Conversation, Turn  # noqa: PLC0415 - after setup

    noun = dice.choice(NOUNS)
    question = f"Where do I find the {noun} number {number}?"
    answers = {0: "", 1: question, 2: "yes i"}
    ends = " ".join(dice.sample(ENDS, dice.randint(1, 3)))
    answer = answers.get(dice.randrange(25), f"Your {noun} {number} is on its way. {ends}")
    return Conversation((Turn("user", question), Turn("assistant", answer)))


def _table_figures(dataset: Any, person: Any) -> dict[str, float]:
    from django.core.cache import cache  # noqa: PLC0415 - after setup
    from django.test import Client  # noqa: PLC0415

    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/datasets/{dataset.pk}/"
    client.get(address)
    figures: dict[str, float] = {}
    warm: list[float] = []
    for name, query in PAGES.items():
        looks = [_milliseconds(client, address, query) for _ in range(LOOKS)]
        fresh = []
        for _ in range(3):
            cache.clear()
            fresh.append(_milliseconds(client, address, query))
        figures[f"table_ms_{name}"] = statistics.median(looks)
        figures[f"table_ms_{name}_fresh"] = statistics.median(fresh)
        warm += looks
    fresh_ones = [value for name, value in figures.items() if name.endswith("_fresh")]
    return figures | {
        "table_ms_median": statistics.median(warm),
        "table_ms_slowest": max(warm),
        "table_ms_fresh_slowest": max(fresh_ones),
    }


def _decision_figures(dataset: Any, person: Any) -> dict[str, float]:
    from datasets_app.jobs import freezing  # noqa: PLC0415
    from datasets_app.models import Decision  # noqa: PLC0415 - after setup
    from datasets_app.selectors.row_filter import RowFilter  # noqa: PLC0415
    from datasets_app.services import curation  # noqa: PLC0415

    began = time.perf_counter()
    action = curation.decide_matching(
        dataset, RowFilter(), Decision.EXCLUDE, previewed=ROWS, by=person
    )
    decided = time.perf_counter()
    curation.undo(action, by=person)
    undone = time.perf_counter()
    freezing.freeze_version(dataset, choice="all", user=person)
    return {
        "decide_matching_seconds": decided - began,
        "undo_seconds": undone - decided,
        "freeze_seconds": time.perf_counter() - undone,
        "rows": ROWS,
    }


def _milliseconds(client: Any, address: str, query: dict[str, str]) -> float:
    began = time.perf_counter()
    answer = client.get(address, query)
    spent = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"The page answered {answer.status_code}.")
    return spent


if __name__ == "__main__":
    print(json.dumps({name: round(value, 2) for name, value in run().items()}, indent=1))  # noqa: T201
