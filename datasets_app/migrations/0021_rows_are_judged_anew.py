"""Every dataset's rows are judged again by a worker: the rules look at the whole dialogue now.

What people decided about a row stays decided.
"""

from __future__ import annotations

from django.db import migrations

ORDER = """
INSERT INTO datasets_app_rescoring (dataset_id, cursor, total, done, state, fence, attempts, reason, message, queued_at)
SELECT dataset.id, 0, count(*), 0, 'queued', 1, 0, '', '', now()
FROM datasets_app_dataset dataset JOIN datasets_app_conversation row ON row.dataset_id = dataset.id
WHERE dataset.deleted_at IS NULL
GROUP BY dataset.id
ON CONFLICT (dataset_id) DO UPDATE SET
    cursor = 0, total = EXCLUDED.total, done = 0, state = 'queued', fence = datasets_app_rescoring.fence + 1,
    attempts = 0, reason = '', message = '', queued_at = now(),
    not_before = NULL, started_at = NULL, finished_at = NULL, lease_until = NULL
"""


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0020_only_what_somebody_writes")]
    operations = [migrations.RunSQL(ORDER, migrations.RunSQL.noop, elidable=True)]
