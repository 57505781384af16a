"""The tables as migrations 0001 to 0019 leave them: a new database is made in seconds.

What those did to rows has nothing to do here; databases with rows go on one by one.
"""

from __future__ import annotations

import chat_app.models.generation
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

from otto_web.lib.tables_together import CreateTables


def make_what_waits(apps, schema_editor):
    """Make indexes and foreign keys now: they keep the names of the tables that are renamed next."""
    waiting = list(schema_editor.deferred_sql)
    schema_editor.deferred_sql.clear()
    for statement in waiting:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    replaces = [
        ('chat_app', '0001_initial'),
        ('chat_app', '0002_deployment_starters'),
        ('chat_app', '0003_exports_are_work'),
        ('chat_app', '0004_pipelines_are_work'),
        ('chat_app', '0005_answers_are_work'),
        ('chat_app', '0006_pipelines_belong_to_the_loop'),
        ('chat_app', '0007_chats_belong_to_one_person'),
        ('chat_app', '0008_answers_from_what_is_known'),
        ('chat_app', '0009_ratings_are_thumbs'),
        ('chat_app', '0010_retired_names_let_go_of_knowledge'),
        ('chat_app', '0011_chats_keep_what_was_chosen'),
        ('chat_app', '0012_answers_outlive_what_is_known_without_its_words'),
        ('chat_app', '0013_chats_have_branches'),
        ('chat_app', '0014_answers_are_corrected'),
        ('chat_app', '0015_what_programs_ask'),
        ('chat_app', '0016_chats_are_pinned_and_shared'),
        ('chat_app', '0017_corrections_of_one_answer'),
        ('chat_app', '0018_exchanges_are_forgotten'),
        ('chat_app', '0019_answers_brought_in'),
    ]

    initial = True

    dependencies = [
        ('datasets_app', '0001_squashed_0049'),
        ('training_app', '0001_squashed_0016'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            models=[migrations.CreateModel(
                name='ServingExport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('precision', models.CharField(default='fp32', max_length=20)),
                    ('path', models.CharField(default='', max_length=300)),
                    ('sha256', models.CharField(default='', max_length=64)),
                    ('onnxruntime', models.CharField(default='', max_length=40)),
                    ('cpu', models.CharField(default='', max_length=200)),
                    ('parity_max', models.FloatField(null=True)),
                    ('figures', models.JSONField(blank=True, default=dict)),
                    ('calibration', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                    ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                    ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('lease_until', models.DateTimeField(editable=False, null=True)),
                    ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='serving_exports', to='training_app.trainedmodel')),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('finished_at', models.DateTimeField(editable=False, null=True)),
                    ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                    ('not_before', models.DateTimeField(editable=False, null=True)),
                    ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('started_at', models.DateTimeField(editable=False, null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='servingexport_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='servingexport_leases')],
                    'constraints': [models.UniqueConstraint(fields=('model', 'precision'), name='servingexport_one_per_precision'), models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='servingexport_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='servingexport_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='servingexport_leased_iff_running')],
                },
            ), migrations.CreateModel(
                name='Deployment',
                fields=[
                    ('alias', models.SlugField(max_length=60, primary_key=True, serialize=False)),
                    ('is_logging', models.BooleanField(default=True, help_text='log for retraining')),
                    ('params', models.JSONField(blank=True, default=dict)),
                    ('is_active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('switched_at', models.DateTimeField(auto_now_add=True)),
                    ('model', models.ForeignKey(help_text='none where nothing but known answers is quoted', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='training_app.trainedmodel')),
                    ('next_model', models.ForeignKey(help_text='takes over as soon as its serving file is proved', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='training_app.trainedmodel')),
                    ('export', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='chat_app.servingexport')),
                    ('starters', models.JSONField(blank=True, default=list, help_text='questions that a trainer lets everybody read')),
                    ('knowledge', models.ForeignKey(help_text='the known answers that it answers from', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='datasets_app.knowledge')),
                    ('mode', models.CharField(choices=[('write', 'a model writes the answer'), ('quote', 'quotes your team’s own answer, word for word')], default='write', max_length=10)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('mode__in', ['write', 'quote'])), name='deployment_mode_known'), models.CheckConstraint(condition=models.Q(models.Q(('mode', 'write'), ('model__isnull', False)), models.Q(('knowledge__isnull', False), ('mode', 'quote')), models.Q(('is_active', False), ('mode', 'quote')), _connector='OR'), name='deployment_has_what_it_answers_by')],
                },
            ), migrations.CreateModel(
                name='DeploymentEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('detail', models.CharField(default='', max_length=200)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='chat_app.deployment')),
                    ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='training_app.trainedmodel')),
                ],
            ), migrations.CreateModel(
                name='Chat',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('title', models.CharField(blank=True, default='', max_length=200)),
                    ('system', models.TextField(blank=True, default='')),
                    ('params', models.JSONField(blank=True, default=dict)),
                    ('is_logged', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chats', to=settings.AUTH_USER_MODEL)),
                    ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='chats', to='chat_app.deployment')),
                    ('shown', models.ForeignKey(editable=False, help_text='the end of the branch that is shown; none: the newest message’s', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.message')),
                    ('given', models.JSONField(blank=True, default=list, help_text='turns that a program sent before its question')),
                    ('kind', models.CharField(choices=[('page', 'a person, on the pages'), ('api', 'a program, which brings the whole conversation with each question'), ('completion', 'a program, with a text that the model goes on with')], default='page', max_length=10)),
                    ('pinned_at', models.DateTimeField(editable=False, null=True)),
                    ('share_key', models.UUIDField(editable=False, help_text='of the link by which the team reads it', null=True, unique=True)),
                    ('forget_at', models.DateTimeField(editable=False, help_text='when to look whether its words are to be forgotten', null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('forget_at__isnull', False)), fields=['forget_at'], name='chat_to_forget')],
                },
            ), migrations.CreateModel(
                name='Message',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('role', models.CharField(max_length=10)),
                    ('text', models.TextField(blank=True, default='')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('idem', models.UUIDField(null=True)),
                    ('chat', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='chat_app.chat')),
                    ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='chat_app.message')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('chat', 'idem'), name='message_idem_unique')],
                },
            ), migrations.CreateModel(
                name='Rating',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('value', models.SmallIntegerField(help_text='1 ok, -1 not ok')),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to='chat_app.message')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to=settings.AUTH_USER_MODEL)),
                    ('reasons', models.JSONField(blank=True, default=list, help_text='of a bad answer: names of REASONS')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('message', 'user'), name='rating_one_per_person'), models.CheckConstraint(condition=models.Q(('value__in', [1, -1])), name='rating_value_known')],
                },
            ), migrations.CreateModel(
                name='Generation',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                    ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('lease_until', models.DateTimeField(editable=False, null=True)),
                    ('stop_requested_at', models.DateTimeField(editable=False, null=True)),
                    ('prompt_ids', models.JSONField(default=list, editable=False)),
                    ('answer_ids', models.JSONField(default=list, editable=False)),
                    ('params', models.JSONField(blank=True, default=dict)),
                    ('seed', models.PositiveBigIntegerField(default=0)),
                    ('dropped_turns', models.PositiveIntegerField(default=0)),
                    ('timings', models.JSONField(default=dict, editable=False)),
                    ('finish', models.CharField(default='', editable=False, max_length=20)),
                    ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('finished_at', models.DateTimeField(editable=False, null=True)),
                    ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='chat_app.deployment')),
                    ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='generations', to='training_app.trainedmodel')),
                    ('answer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='generation', to='chat_app.message')),
                    ('export', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='chat_app.servingexport')),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                    ('not_before', models.DateTimeField(editable=False, null=True)),
                    ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('started_at', models.DateTimeField(editable=False, null=True)),
                    ('knowledge', models.ForeignKey(null=True, on_delete=chat_app.models.generation.forget_knowledge, related_name='+', to='datasets_app.knowledge')),
                    ('sources', models.JSONField(default=list, editable=False, help_text='what it was answered from, or may be asked instead')),
                    ('unsupported', models.JSONField(default=list, editable=False, help_text='spans of the text that stand in nothing known')),
                    ('continues', models.ForeignKey(editable=False, help_text='the answer whose words it begins with', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.generation')),
                    ('prompt_text', models.TextField(default='', editable=False, help_text='what the model read, control tokens included')),
                    ('brought_in_at', models.DateTimeField(editable=False, help_text='when a file said all this; nobody answered it here', null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='generation_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='generation_leases')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='generation_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='generation_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='generation_leased_iff_running')],
                },
            ), migrations.CreateModel(
                name='LogEntry',
                fields=[
                    ('message', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='log_entry', serialize=False, to='chat_app.message')),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('conversation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.conversation')),
                    ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_entries', to='chat_app.deployment')),
                    ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='training_app.trainedmodel')),
                    ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['-at'], name='logentry_by_time')],
                },
            ), migrations.CreateModel(
                name='Correction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('knowledge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.knowledge')),
                    ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='chat_app.message')),
                    ('model', models.ForeignKey(help_text='which wrote the answer that is corrected; none where it was quoted', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='training_app.trainedmodel')),
                    ('written', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='corrects', to='chat_app.message')),
                ],
            ), migrations.CreateModel(
                name='Pipeline',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                    ('options', models.JSONField(default=dict)),
                    ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('lease_until', models.DateTimeField(editable=False, null=True)),
                    ('finished_at', models.DateTimeField(editable=False, null=True)),
                    ('chat', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.chat')),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('dataset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.dataset')),
                    ('deployment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='chat_app.deployment')),
                    ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='training_app.run')),
                    ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets_app.version')),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                    ('not_before', models.DateTimeField(editable=False, null=True)),
                    ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                    ('started_at', models.DateTimeField(editable=False, null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='pipeline_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='pipeline_leases')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='pipeline_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='pipeline_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='pipeline_leased_iff_running')],
                },
            ), migrations.CreateModel(
                name='PipelineStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveSmallIntegerField()),
                    ('name', models.CharField(max_length=30)),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', max_length=12)),
                    ('note', models.TextField(default='')),
                    ('started_at', models.DateTimeField(null=True)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='chat_app.pipeline')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('pipeline', 'number'), name='pipelinestep_number_unique')],
                },
            )],
        ),
        migrations.RunPython(make_what_waits, migrations.RunPython.noop),
        migrations.AlterModelTable(
            name='pipeline',
            table='otto_loop_pipeline',
        ),
        migrations.AlterModelTable(
            name='pipelinestep',
            table='otto_loop_pipelinestep',
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(
                    name='PipelineStep',
                ),
                migrations.DeleteModel(
                    name='Pipeline',
                ),
            ],
        ),
        migrations.RunSQL(
            sql='ALTER TABLE chat_app_generation RENAME CONSTRAINT chat_app_generation_answer_id_key TO chat_app_generation_message_id_key',
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
