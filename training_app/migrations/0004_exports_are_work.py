"""Exports are durable work like any other: one vocabulary of states, a reason and a message."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
UPDATE training_app_export SET
    message = reason,
    reason = CASE state WHEN 'failed' THEN 'refused' ELSE '' END,
    state = CASE state WHEN 'ready' THEN 'succeeded' ELSE state END,
    queued_at = created_at,
    finished_at = CASE WHEN state IN ('ready', 'failed') THEN created_at END,
    lease_until = CASE state WHEN 'running' THEN coalesce(lease_until, now()) END
"""
BACKWARD = """
UPDATE training_app_export SET
    reason = message,
    state = CASE state WHEN 'succeeded' THEN 'ready' ELSE state END,
    created_at = queued_at
"""


class Migration(migrations.Migration):

    dependencies = [
        ('training_app', '0003_names_of_the_field'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='export',
            name='attempts',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='export',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='export',
            name='finished_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='export',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AddField(
            model_name='export',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='export',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='export',
            name='started_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='export',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(
            model_name='export',
            name='created_at',
        ),
        migrations.AlterField(
            model_name='export',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AddIndex(
            model_name='export',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='export_waits'),
        ),
        migrations.AddIndex(
            model_name='export',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='export_leases'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='export_state_known'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='export_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='export_leased_iff_running'),
        ),
    ]
