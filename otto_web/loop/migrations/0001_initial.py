"""Pipelines, whose rows were made as rows of `chat_app`: the tables are there already."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

MOVED = ("pipeline", "pipelinestep")


def move_content_types(apps, before, after):
    """Let permissions and other rows that name these models name them where they are now."""
    types = apps.get_model("contenttypes", "ContentType").objects
    types.filter(app_label=before, model__in=MOVED).update(app_label=after)


def forward(apps, schema_editor):
    move_content_types(apps, "chat_app", "otto_loop")


def backward(apps, schema_editor):
    move_content_types(apps, "otto_loop", "chat_app")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("chat_app", "0006_pipelines_belong_to_the_loop"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("datasets_app", "0009_imports_are_work"),
        ("training_app", "0005_runs_are_fenced"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Pipeline',
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
                        ('options', models.JSONField(default=dict)),
                        ('chat', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.chat')),
                        ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                        ('dataset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.dataset')),
                        ('deployment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.deployment')),
                        ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='training_app.run')),
                        ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.version')),
                    ],
                ),
                migrations.CreateModel(
                    name='PipelineStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveSmallIntegerField()),
                        ('name', models.CharField(max_length=30)),
                        ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', max_length=12)),
                        ('note', models.TextField(default='')),
                        ('started_at', models.DateTimeField(null=True)),
                        ('finished_at', models.DateTimeField(null=True)),
                        ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='otto_loop.pipeline')),
                    ],
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
                migrations.AddConstraint(
                    model_name='pipelinestep',
                    constraint=models.UniqueConstraint(fields=('pipeline', 'number'), name='pipelinestep_number_unique'),
                ),
            ]
        ),
        migrations.RunPython(forward, backward),
    ]
