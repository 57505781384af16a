"""What PostgreSQL knows of a table's rows, on which it chooses how to find them."""

from __future__ import annotations

from django.db import connection, models

FEW = 500  # rows that any plan finds quickly

# The server's own look comes a minute later, and only where a tenth of the table is new: until then
# it takes a new dataset for an empty one, and a page of 3,300 rows took six seconds, not nine
# milliseconds.
_OUTGROWN = """
SELECT pg_stat_get_mod_since_analyze(oid) > %s + %s * greatest(reltuples, 0)
FROM pg_class WHERE oid = %s::regclass
"""


def renew_statistics(model: type[models.Model], *, share: float = 0.0) -> bool:
    """Have the rows of a table counted anew where more than a share of them is new; say whether.

    For after a commit: what a transaction has not committed yet is not counted.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # or the last second is not in it
        cursor.execute(_OUTGROWN, [FEW, share, table])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {table}")
        return True
