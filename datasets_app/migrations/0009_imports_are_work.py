"""Imports are durable work like any other; what was taken back or expired is cancelled."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
UPDATE datasets_app_upload SET
    message = CASE WHEN reason ~ '^[a-z0-9_]*$' THEN '' ELSE reason END,
    reason = CASE WHEN state IN ('expired', 'withdrawn') THEN state
                  WHEN reason ~ '^[a-z0-9_]*$' THEN reason
                  ELSE 'refused' END,
    state = CASE state
        WHEN 'received' THEN 'queued' WHEN 'reading' THEN 'running' WHEN 'ready' THEN 'succeeded'
        WHEN 'expired' THEN 'cancelled' WHEN 'withdrawn' THEN 'cancelled' ELSE state END,
    queued_at = created_at,
    finished_at = CASE WHEN state IN ('ready', 'failed', 'expired', 'withdrawn')
        THEN coalesce(finished_at, created_at) END,
    lease_until = CASE state WHEN 'reading' THEN coalesce(lease_until, now()) END
"""
BACKWARD = """
UPDATE datasets_app_upload SET
    reason = CASE WHEN message <> '' THEN message
                  WHEN state = 'cancelled' THEN '' ELSE reason END,
    state = CASE state
        WHEN 'queued' THEN 'received' WHEN 'running' THEN 'reading' WHEN 'succeeded' THEN 'ready'
        WHEN 'cancelled' THEN CASE reason WHEN 'expired' THEN 'expired' ELSE 'withdrawn' END
        ELSE state END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0008_rescoring_is_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='upload',
            name='upload_state_known',
        ),
        migrations.RemoveIndex(
            model_name='upload',
            name='upload_by_state',
        ),
        migrations.AddField(
            model_name='upload',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AddField(
            model_name='upload',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='upload',
            name='started_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='upload',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='receiving', editable=False, max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RenameField(
            model_name='upload',
            old_name='attempt',
            new_name='attempts',
        ),
        migrations.AlterField(
            model_name='upload',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='upload',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='upload_waits'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='upload_leases'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('state', 'receiving')), fields=['expires_at'], name='upload_expiry'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='upload_state_known'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='upload_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='upload_leased_iff_running'),
        ),
    ]
