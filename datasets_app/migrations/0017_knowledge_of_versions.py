"""Knowledge: what a version tells, built by a worker, and questions to try it with."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0016_issue_columns_are_large'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Knowledge',
            fields=[
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
                ('version', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='knowledge', serialize=False, to='datasets_app.version')),
                ('path', models.CharField(default='', help_text='relative to the data folder', max_length=300)),
                ('working', models.CharField(default='', help_text='relative to the data folder', max_length=300)),
                ('total', models.PositiveBigIntegerField(default=0, help_text='rows of the version')),
                ('done', models.PositiveBigIntegerField(default=0, help_text='rows that were read')),
                ('facts', models.JSONField(default=dict, help_text='pieces, copies, encoder, figures by script')),
                ('manifest_sha256', models.CharField(default='', max_length=64)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                ('encoder', models.ForeignKey(help_text='what the vectors were made with, or should have been', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.encoder')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Lookup',
            fields=[
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
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('question', models.TextField()),
                ('results', models.JSONField(default=list, help_text='what was found, nearest first')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                ('knowledge', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lookups', to='datasets_app.knowledge')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='knowledge',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='knowledge_waits'),
        ),
        migrations.AddIndex(
            model_name='knowledge',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='knowledge_leases'),
        ),
        migrations.AddConstraint(
            model_name='knowledge',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='knowledge_state_known'),
        ),
        migrations.AddConstraint(
            model_name='knowledge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='knowledge_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='knowledge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='knowledge_leased_iff_running'),
        ),
        migrations.AddConstraint(
            model_name='knowledge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'succeeded'), _negated=True), models.Q(('path', ''), _negated=True), _connector='OR'), name='knowledge_there_when_built'),
        ),
        migrations.AddIndex(
            model_name='lookup',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='lookup_waits'),
        ),
        migrations.AddIndex(
            model_name='lookup',
            index=models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='lookup_leases'),
        ),
        migrations.AddIndex(
            model_name='lookup',
            index=models.Index(fields=['knowledge', '-created_at'], name='lookup_by_time'),
        ),
        migrations.AddConstraint(
            model_name='lookup',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='lookup_state_known'),
        ),
        migrations.AddConstraint(
            model_name='lookup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='lookup_finished_iff_over'),
        ),
        migrations.AddConstraint(
            model_name='lookup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='lookup_leased_iff_running'),
        ),
    ]
