"""Judging rows again is durable work like any other; its row stays when it is done."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = migrations.RunSQL.noop  # an order that stands is queued, as the new column says
BACKWARD = "DELETE FROM datasets_app_rescoring WHERE state IN ('succeeded', 'failed')"


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0007_versions_are_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='rescoring',
            name='attempts',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='fence',
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='finished_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='lease_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='started_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='rescoring',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(
            model_name='rescoring',
            name='touched_at',
        ),
        migrations.AddIndex(
            model_name='rescoring',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='rescoring_waits'),
        ),
        migrations.AddIndex(
            model_name='rescoring',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='rescoring_leases'),
        ),
        migrations.AddConstraint(
            model_name='rescoring',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='rescoring_state_known'),
        ),
        migrations.AddConstraint(
            model_name='rescoring',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='rescoring_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='rescoring',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='rescoring_leased_iff_running'),
        ),
    ]
