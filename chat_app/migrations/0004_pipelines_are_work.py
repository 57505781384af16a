"""Pipelines are durable work like any other; steps speak its words."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
UPDATE chat_app_pipeline SET
    state = CASE WHEN state = 'done' THEN 'succeeded'
                 WHEN state = 'running' AND lease_until IS NULL THEN 'queued'
                 ELSE state END,
    queued_at = created_at,
    started_at = created_at,
    finished_at = CASE WHEN state IN ('done', 'failed') THEN coalesce(finished_at, created_at) END,
    lease_until = CASE state WHEN 'running' THEN lease_until END;
UPDATE chat_app_pipelinestep SET state = CASE state
    WHEN 'done' THEN 'succeeded' WHEN 'waiting' THEN 'queued' ELSE state END
"""
BACKWARD = """
UPDATE chat_app_pipeline SET
    state = CASE state WHEN 'succeeded' THEN 'done' WHEN 'queued' THEN 'running' ELSE state END,
    created_at = queued_at;
UPDATE chat_app_pipelinestep SET state = CASE state
    WHEN 'succeeded' THEN 'done' WHEN 'queued' THEN 'waiting' ELSE state END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chat_app', '0003_exports_are_work'),
        ('datasets_app', '0004_next_file_by_turn'),
        ('training_app', '0004_exports_are_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='pipeline',
            name='attempts',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='pipeline',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AddField(
            model_name='pipeline',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='pipeline',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='pipeline',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AddField(
            model_name='pipeline',
            name='started_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='pipeline',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='pipelinestep',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(
            model_name='pipeline',
            name='created_at',
        ),
        migrations.AlterField(
            model_name='pipeline',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='pipeline',
            name='finished_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='pipeline',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='pipeline_waits'),
        ),
        migrations.AddIndex(
            model_name='pipeline',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='pipeline_leases'),
        ),
        migrations.AddConstraint(
            model_name='pipeline',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='pipeline_state_known'),
        ),
        migrations.AddConstraint(
            model_name='pipeline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='pipeline_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='pipeline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='pipeline_leased_iff_running'),
        ),
    ]
