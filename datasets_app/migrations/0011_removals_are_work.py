"""Removing what a person deleted is durable work like any other; deleted datasets keep its row."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
INSERT INTO datasets_app_removal
    (dataset_id, upload_id, state, queued_at, finished_at,
     fence, attempts, reason, message, cursor, total, done)
SELECT id, NULL, CASE WHEN emptied_at IS NULL THEN 'queued' ELSE 'succeeded' END,
       deleted_at, emptied_at, 0, 0, '', '', 0,
       (SELECT count(*) FROM datasets_app_conversation row WHERE row.dataset_id = dataset.id), 0
FROM datasets_app_dataset dataset WHERE deleted_at IS NOT NULL
UNION ALL
SELECT NULL, id, 'queued', coalesce(finished_at, now()), NULL, 0, 0, '', '', 0,
       (SELECT count(*) FROM datasets_app_conversation row
        JOIN datasets_app_sourcefile file ON file.id = row.source_file_id
        WHERE file.upload_id = upload.id), 0
FROM datasets_app_upload upload
WHERE state = 'cancelled' AND reason = 'withdrawn' AND blob_id IS NOT NULL
ORDER BY 1, 2
"""
BACKWARD = """
UPDATE datasets_app_dataset dataset SET emptied_at = finished_at
FROM datasets_app_removal removal
WHERE removal.dataset_id = dataset.id AND removal.state = 'succeeded'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0010_documents_and_their_parts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Removal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('not_before', models.DateTimeField(editable=False, null=True)),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('cursor', models.PositiveBigIntegerField(default=0, help_text='position of the last row seen')),
                ('total', models.PositiveBigIntegerField(default=0)),
                ('done', models.PositiveBigIntegerField(default=0, help_text='rows removed, or left to a version')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                ('dataset', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='removal', to='datasets_app.dataset')),
                ('upload', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='removal', to='datasets_app.upload')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='removal_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='removal_leases')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='removal_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='removal_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='removal_leased_iff_running'), models.CheckConstraint(condition=models.Q(models.Q(('dataset__isnull', True), ('upload__isnull', False)), models.Q(('dataset__isnull', False), ('upload__isnull', True)), _connector='OR'), name='removal_of_one_thing')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(
            model_name='dataset',
            name='emptied_at',
        ),
    ]
