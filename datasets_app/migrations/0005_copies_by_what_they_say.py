"""Rows get the key of copies anew: letters put together differently are equal, -5 is not 5.

Rows keep the side that they were dealt. The work goes in slices, so a migration that was
interrupted is simply begun again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, transaction

SLICE = 2_000


def rekey(apps: Any, schema_editor: Any) -> None:
    """Compute the key of every row again; write only those that changed."""
    from datasets_app.corpus.conversation import from_json
    from datasets_app.corpus.split import exact_key

    rows = apps.get_model("datasets_app", "Conversation").objects.order_by("pk")
    last, changed = 0, set()
    while found := list(rows.filter(pk__gt=last).values_list("pk", "dataset", "turns", "exact_key")[:SLICE]):
        last = found[-1][0]
        fresh = {pk: exact_key(from_json(turns)) for pk, _, turns, _ in found}
        other = [(pk, dataset) for pk, dataset, _, key in found if fresh[pk] != key]
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE datasets_app_conversation row SET exact_key = fresh.key "
                "FROM unnest(%s::bigint[], %s::text[]) AS fresh (id, key) WHERE row.id = fresh.id",
                [[pk for pk, _ in other], [fresh[pk] for pk, _ in other]],
            )
        changed |= {dataset for _, dataset in other}
    for dataset in apps.get_model("datasets_app", "Dataset").objects.filter(pk__in=changed):
        dataset.changes += 1  # what was counted of its copies is out of date
        dataset.save(update_fields=["changes"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("datasets_app", "0004_next_file_by_turn")]
    operations = [migrations.RunPython(rekey, migrations.RunPython.noop, elidable=True)]
