"""Answering is durable work like any other: one vocabulary of states, a reason and a message."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
UPDATE chat_app_generation SET
    message = reason,
    reason = CASE WHEN state = 'stopped' THEN 'stopped' ELSE '' END,
    state = CASE state WHEN 'done' THEN 'succeeded' WHEN 'stopped' THEN 'cancelled' ELSE state END,
    attempts = fence,
    queued_at = created_at,
    finished_at = CASE WHEN state IN ('done', 'stopped', 'interrupted', 'failed')
        THEN coalesce(finished_at, created_at) END,
    lease_until = CASE state WHEN 'running' THEN coalesce(lease_until, now()) END
"""
BACKWARD = """
UPDATE chat_app_generation SET
    reason = message,
    state = CASE state WHEN 'succeeded' THEN 'done' WHEN 'cancelled' THEN 'stopped' ELSE state END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chat_app', '0004_pipelines_are_work'),
        ('training_app', '0004_exports_are_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField(
            model_name='generation',
            old_name='message',
            new_name='answer',
        ),
        migrations.RemoveConstraint(
            model_name='generation',
            name='generation_state_known',
        ),
        migrations.RemoveIndex(
            model_name='generation',
            name='generation_queue',
        ),
        migrations.AddField(
            model_name='generation',
            name='attempts',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='generation',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AddField(
            model_name='generation',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='started_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='generation',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AlterField(
            model_name='generation',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='generation_waits'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='generation_leases'),
        ),
        migrations.AddConstraint(
            model_name='generation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='generation_state_known'),
        ),
        migrations.AddConstraint(
            model_name='generation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='generation_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='generation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='generation_leased_iff_running'),
        ),
    ]
