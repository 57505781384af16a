"""What an upload's bytes are stands in a field of its own, beside what was announced."""

from __future__ import annotations

from django.db import migrations, models

# bytes that may have moved already are looked for under the one hash that earlier releases kept
FORWARD = """
UPDATE datasets_app_upload SET seen_sha256 = coalesce(blob_id, claimed_sha256)
WHERE blob_id IS NOT NULL OR state IN ('queued', 'running')
"""
BACKWARD = """
UPDATE datasets_app_upload SET claimed_sha256 = seen_sha256
WHERE blob_id IS NULL AND seen_sha256 <> ''
"""


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0012_files_are_queued'),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='seen_sha256',
            field=models.CharField(default='', help_text='of the bytes that came', max_length=64),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
