"""How long a version takes to freeze and to be read, and what memory the process needs for it.

    python -m tests.bench.bench_freeze

Rows are written by the server itself, so that nothing but freezing is measured: 100,000 and
1,000,000 pairs, every fiftieth said twice. Servers are its own, in a temporary folder.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from typing import Any

SIZES = (100_000, 1_000_000)
SMALLEST = {"SIZES": (400, 800)}
FILL = """
    INSERT INTO datasets_app_conversation (
        dataset_id, position, turns, text, row_hash, exact_key, revision, origin, origin_key,
        place, meta, status, quality, reasons, n_turns, n_words, updated_at
    )
    SELECT %(dataset)s, n, jsonb_build_array(
            jsonb_build_object('role', 'user', 'text', asked),
            jsonb_build_object('role', 'assistant', 'text', said)
        ), asked || E'\\n' || said, encode(sha256(asked::bytea), 'hex'),
        encode(sha256(asked::bytea), 'hex'), 1, 'file', encode(sha256(n::text::bytea), 'hex'),
        '', '{}', 'kept', 100, '{}', 2, 20, now()
    FROM (
        SELECT n, format('Where do I find the parcel number %%s?', n - (n %% 50 = 0)::int) AS asked,
            format('Your parcel %%s is on its way and takes two or three working days.', n) AS said
        FROM generate_series(%(first)s, %(last)s) n
    ) made
"""


def run() -> dict[str, float]:
    """Return seconds and peak MiB of freezing each size, and rows a second of reading it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OTTO_VAR_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "otto_web.settings_test"
        for name in ("DATABASE_URL", "REDIS_URL", "OTTO_DATA_DIR"):
            os.environ.pop(name, None)
        import django  # noqa: PLC0415 - reads the environment that was just set

        django.setup()
        from otto_web.servers.borrow import servers_for_command  # noqa: PLC0415 - after setup

        with servers_for_command("bench"):
            found: dict[str, float] = {}
            for size in SIZES:
                found |= _figures(size)
            return found


def _figures(size: int) -> dict[str, float]:
    from datasets_app.jobs.freezing import freeze_version  # noqa: PLC0415 - after setup
    from datasets_app.selectors.versions import iter_conversations  # noqa: PLC0415

    dataset = _fill(size)
    figures: dict[str, float] = {}
    for name in ("first", "second"):  # at the second all rows have their splits
        began = time.perf_counter()
        version = freeze_version(dataset, name=name, user=None)
        figures[f"freeze_s_{size}_{name}"] = time.perf_counter() - began
    figures[f"freeze_peak_mib_{size}"] = _peak_mib()
    began = time.perf_counter()
    read = sum(1 for _ in iter_conversations(version.pk))
    figures[f"read_rows_s_{size}"] = read / (time.perf_counter() - began)
    figures[f"read_peak_mib_{size}"] = _peak_mib()
    return figures


def _fill(size: int) -> Any:
    from django.db import connection  # noqa: PLC0415 - after setup

    from datasets_app.services.datasets import create_dataset  # noqa: PLC0415

    dataset = create_dataset(f"Bench {size}", by=None)
    with connection.cursor() as cursor:
        for index in _gin_indexes(cursor):
            cursor.execute(f"DROP INDEX {index}")
        for first in range(1, size + 1, 100_000):
            last = min(first + 99_999, size)
            cursor.execute(FILL, {"dataset": dataset.pk, "first": first, "last": last})
        cursor.execute("VACUUM ANALYZE")
    return dataset


def _gin_indexes(cursor: Any) -> list[str]:
    """Return the indexes of the search: freezing looks into none, and filling them takes long."""
    cursor.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'datasets_app_conversation'"
        " AND indexdef LIKE '%% USING gin %%'",
        [],
    )
    return [name for (name,) in cursor.fetchall()]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))  # noqa: T201
