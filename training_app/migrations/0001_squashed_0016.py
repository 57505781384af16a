"""The tables as migrations 0001 to 0016 leave them: a new database is made in seconds.

What those did to rows has nothing to do here; databases with rows go on one by one.
"""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

from otto_web.lib.tables_together import CreateTables

CREATE = """
CREATE FUNCTION training_run_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'queued' THEN
            RAISE EXCEPTION 'a run begins queued, not %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.fence < OLD.fence OR NEW.seq < OLD.seq THEN
        RAISE EXCEPTION 'fence and sequence of a run only grow' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (
        (OLD.state = 'queued' AND NEW.state IN ('running', 'cancelled'))
        OR (OLD.state = 'running' AND NEW.state IN ('queued', 'succeeded', 'failed', 'cancelled'))
    ) THEN
        RAISE EXCEPTION 'a run does not move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_moves BEFORE INSERT OR UPDATE OF state, fence, seq ON training_app_run
    FOR EACH ROW EXECUTE FUNCTION training_run_move();
CREATE FUNCTION training_runevent_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of a run are never changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runevent_append_only BEFORE UPDATE ON training_app_runevent
    FOR EACH ROW EXECUTE FUNCTION training_runevent_kept();
ALTER TABLE training_app_runlease SET (fillfactor = 50);
"""
DROP = """
ALTER TABLE training_app_runlease RESET (fillfactor);
DROP TRIGGER runevent_append_only ON training_app_runevent;
DROP FUNCTION training_runevent_kept();
DROP TRIGGER run_moves ON training_app_run;
DROP FUNCTION training_run_move();
"""


class Migration(migrations.Migration):

    replaces = [
        ('training_app', '0001_initial'),
        ('training_app', '0002_run_moves'),
        ('training_app', '0003_names_of_the_field'),
        ('training_app', '0004_exports_are_work'),
        ('training_app', '0005_runs_are_fenced'),
        ('training_app', '0006_runs_name_their_method'),
        ('training_app', '0007_sides_are_splits'),
        ('training_app', '0008_runs_wait_in_order'),
        ('training_app', '0009_base_models'),
        ('training_app', '0010_bases_that_people_bring'),
        ('training_app', '0011_replies_are_judged'),
        ('training_app', '0012_answers_are_compared'),
        ('training_app', '0013_versions_are_prepared'),
        ('training_app', '0014_reports_are_shown'),
        ('training_app', '0015_exports_have_an_opset'),
        ('training_app', '0016_models_are_tested'),
    ]

    initial = True

    dependencies = [
        ('datasets_app', '0001_squashed_0049'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            models=[migrations.CreateModel(
                name='Tokenizer',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(default='bpe', max_length=20)),
                    ('vocab_size', models.PositiveIntegerField()),
                    ('path', models.CharField(max_length=300)),
                    ('sha256', models.CharField(max_length=64)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tokenizers', to='datasets_app.version')),
                ],
            ), migrations.CreateModel(
                name='TestSet',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('questions', models.JSONField(help_text='list of `measures.Expected`')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ), migrations.CreateModel(
                name='Run',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('spec', models.JSONField(editable=False)),
                    ('spec_sha256', models.CharField(editable=False, max_length=64)),
                    ('decided', models.JSONField(default=dict, editable=False, help_text='measured once: steps, precision, compile, threads')),
                    ('forced_reason', models.TextField(default='', help_text='why a poor version was trained anyway')),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                    ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                    ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                    ('phase', models.CharField(default='', editable=False, max_length=30)),
                    ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('no_progress_deaths', models.PositiveIntegerField(default=0, editable=False)),
                    ('not_before', models.DateTimeField(editable=False, null=True)),
                    ('cancel_requested_at', models.DateTimeField(editable=False, null=True)),
                    ('cancel_verb', models.CharField(choices=[('keep', 'stop and keep'), ('discard', 'cancel and discard')], default='', max_length=10)),
                    ('last_step', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('total_steps', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('seq', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('idem_key', models.UUIDField(default=uuid.uuid4)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('started_at', models.DateTimeField(editable=False, null=True)),
                    ('finished_at', models.DateTimeField(editable=False, null=True)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('parent_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='training_app.run')),
                    ('start_checkpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='training_app.checkpoint')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='datasets_app.version')),
                    ('start_model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='training_app.trainedmodel')),
                    ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['created_at'], name='run_queue')],
                    'constraints': [models.UniqueConstraint(fields=('created_by', 'idem_key'), name='run_idem_unique'), models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='run_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='run_finished_iff_over')],
                },
            ), migrations.CreateModel(
                name='Checkpoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('step', models.PositiveBigIntegerField()),
                    ('fence', models.PositiveBigIntegerField()),
                    ('path', models.CharField(max_length=300)),
                    ('manifest_sha256', models.CharField(max_length=64)),
                    ('bytes', models.PositiveBigIntegerField()),
                    ('validation_loss', models.FloatField(null=True)),
                    ('is_best', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checkpoints', to='training_app.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'step', 'fence'), name='checkpoint_unique'), models.UniqueConstraint(condition=models.Q(('is_best', True)), fields=('run',), name='checkpoint_one_best')],
                },
            ), migrations.CreateModel(
                name='RunLease',
                fields=[
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='lease', serialize=False, to='training_app.run')),
                    ('fence', models.PositiveBigIntegerField()),
                    ('worker', models.CharField(max_length=300)),
                    ('expires_at', models.DateTimeField()),
                    ('beat_at', models.DateTimeField()),
                    ('progress_at', models.DateTimeField()),
                    ('progress_step', models.PositiveBigIntegerField(default=0)),
                ],
            ), migrations.CreateModel(
                name='RunAttempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('fence', models.PositiveBigIntegerField()),
                    ('host', models.CharField(max_length=255)),
                    ('pid', models.PositiveIntegerField()),
                    ('pid_started_at', models.FloatField()),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('exit_reason', models.CharField(default='', max_length=60)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempt_rows', to='training_app.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'fence'), name='attempt_fence_unique'), models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('run',), name='attempt_one_open')],
                },
            ), migrations.CreateModel(
                name='RunEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('seq', models.PositiveBigIntegerField()),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('actor', models.CharField(default='', max_length=150)),
                    ('kind', models.CharField(max_length=30)),
                    ('from_state', models.CharField(default='', max_length=10)),
                    ('to_state', models.CharField(default='', max_length=10)),
                    ('detail', models.TextField(default='')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='training_app.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'seq'), name='runevent_seq_unique')],
                },
            ), migrations.CreateModel(
                name='RunPoint',
                fields=[
                    ('pk', models.CompositePrimaryKey('run_id', 'name', 'step', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=30)),
                    ('step', models.PositiveBigIntegerField()),
                    ('value', models.FloatField()),
                    ('seq', models.PositiveBigIntegerField()),
                    ('fence', models.PositiveBigIntegerField()),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='points', to='training_app.run')),
                ],
                options={
                    'indexes': [models.Index(fields=['run', 'seq'], name='runpoint_by_seq')],
                },
            ), migrations.CreateModel(
                name='RunSample',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('step', models.PositiveBigIntegerField()),
                    ('prompt_no', models.PositiveIntegerField()),
                    ('prompt', models.TextField()),
                    ('reply', models.TextField()),
                    ('reference', models.TextField()),
                    ('seq', models.PositiveBigIntegerField()),
                    ('fence', models.PositiveBigIntegerField()),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='training_app.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'step', 'prompt_no'), name='runsample_place_unique')],
                },
            ), migrations.CreateModel(
                name='TrainedModel',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('number', models.PositiveIntegerField()),
                    ('is_chat', models.BooleanField(default=True, help_text='false when trained on passages only')),
                    ('family', models.CharField(max_length=20)),
                    ('params', models.PositiveBigIntegerField()),
                    ('context', models.PositiveIntegerField()),
                    ('path', models.CharField(help_text='relative to the data folder', max_length=300)),
                    ('manifest_sha256', models.CharField(max_length=64)),
                    ('state', models.CharField(choices=[('ready', 'Ready'), ('deleted', 'Deleted')], default='ready', max_length=10)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='training_app.trainedmodel')),
                    ('run', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='model', to='training_app.run')),
                    ('tokenizer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='models', to='training_app.tokenizer')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('name', 'number'), name='model_number_unique')],
                },
            ), migrations.CreateModel(
                name='Export',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('format', models.CharField(max_length=20)),
                    ('precision', models.CharField(default='fp32', max_length=20)),
                    ('path', models.CharField(default='', max_length=300)),
                    ('sha256', models.CharField(default='', max_length=64)),
                    ('parity_max', models.FloatField(null=True)),
                    ('figures', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12)),
                    ('reason', models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60)),
                    ('fence', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('lease_until', models.DateTimeField(editable=False, null=True)),
                    ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='training_app.trainedmodel')),
                    ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('finished_at', models.DateTimeField(editable=False, null=True)),
                    ('message', models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person')),
                    ('not_before', models.DateTimeField(editable=False, null=True)),
                    ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('started_at', models.DateTimeField(editable=False, null=True)),
                    ('opset', models.PositiveSmallIntegerField(null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='export_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='export_leases')],
                    'constraints': [models.UniqueConstraint(fields=('model', 'format', 'precision'), name='export_one_per_format'), models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='export_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='export_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='export_leased_iff_running')],
                },
            ), migrations.CreateModel(
                name='Evaluation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('split', models.CharField(max_length=10)),
                    ('tokens', models.PositiveBigIntegerField()),
                    ('bytes', models.PositiveBigIntegerField()),
                    ('loss', models.FloatField()),
                    ('answer_loss', models.FloatField(null=True)),
                    ('perplexity', models.FloatField()),
                    ('bits_per_byte', models.FloatField()),
                    ('details', models.JSONField(default=dict)),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='datasets_app.version')),
                    ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evaluations', to='training_app.trainedmodel')),
                ],
            ), migrations.CreateModel(
                name='EvalSample',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('prompt_no', models.PositiveIntegerField()),
                    ('prompt', models.TextField()),
                    ('reply', models.TextField()),
                    ('reference', models.TextField()),
                    ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='training_app.evaluation')),
                    ('kind', models.CharField(default='validation', max_length=12)),
                    ('outcome', models.CharField(default='', help_text='empty: was not judged', max_length=12)),
                    ('why', models.TextField(default='', help_text='what speaks against the reply')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('evaluation', 'prompt_no'), name='evalsample_place_unique'), models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'right', 'contradicts', 'wrong', 'abstains'])), name='evalsample_outcome_known')],
                },
            ), migrations.CreateModel(
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
                    ('source', models.CharField(choices=[('package', 'package, fetched'), ('upload', 'file that somebody brought'), ('local', 'folder of local models')], max_length=10)),
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
                    ('upload', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='base', to='datasets_app.upload')),
                ],
                options={
                    'abstract': False,
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='base_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='base_leases')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='base_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='base_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='base_leased_iff_running'), models.CheckConstraint(condition=models.Q(('kind__in', ['', 'language', 'encoder'])), name='base_kind_known'), models.CheckConstraint(condition=models.Q(('source__in', ['package', 'upload', 'local'])), name='base_source_known')],
                },
            ), migrations.CreateModel(
                name='AnswerCheck',
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
                    ('with_knowledge', models.BooleanField()),
                    ('figures', models.JSONField(default=dict, help_text='AnswerFigures; empty until measured once')),
                    ('questions', models.CharField(default='', help_text='hash of what was asked', max_length=64)),
                    ('replies', models.JSONField(default=list, help_text='what was asked and said, with outcomes')),
                    ('measured_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('model', models.ForeignKey(help_text='none where the nearest known answer is quoted', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='answer_checks', to='training_app.trainedmodel')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answer_checks', to='datasets_app.version')),
                ],
                options={
                    'abstract': False,
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='answercheck_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='answercheck_leases')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='answercheck_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='answercheck_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='answercheck_leased_iff_running'), models.UniqueConstraint(fields=('version', 'model', 'with_knowledge'), name='answercheck_once_a_way', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('model__isnull', False), ('with_knowledge', True), _connector='OR'), name='answercheck_answers_by_something')],
                },
            ), migrations.CreateModel(
                name='Preparation',
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
                    ('spec', models.JSONField(help_text='a RunSpec')),
                    ('path', models.CharField(default='', help_text='relative to the data folder', max_length=300)),
                    ('facts', models.JSONField(default=dict, help_text='PreparedFacts')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('start_model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='training_app.trainedmodel')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='preparations', to='datasets_app.version')),
                ],
                options={
                    'abstract': False,
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='preparation_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='preparation_leases'), models.Index(fields=['version', '-created_at'], name='preparation_by_time')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='preparation_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='preparation_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='preparation_leased_iff_running')],
                },
            ), migrations.CreateModel(
                name='ReportLink',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('expires_at', models.DateTimeField()),
                    ('revoked_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_links', to='training_app.run')),
                ],
            ), migrations.CreateModel(
                name='ModelTest',
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
                    ('split', models.CharField(default='', max_length=10)),
                    ('means', models.JSONField(default=dict, help_text='mean of each measure; empty until measured')),
                    ('figures', models.JSONField(default=dict, help_text='AnswerFigures')),
                    ('replies', models.JSONField(default=list, help_text='question, reply, real answer, measures')),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL)),
                    ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tests', to='training_app.trainedmodel')),
                    ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='model_tests', to='datasets_app.version')),
                    ('test_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tests', to='training_app.testset')),
                ],
                options={
                    'abstract': False,
                    'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['queued_at'], name='modeltest_waits'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='modeltest_leases')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='modeltest_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='modeltest_finished_iff_over'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='modeltest_leased_iff_running'), models.CheckConstraint(condition=models.Q(models.Q(('split', ''), ('test_set__isnull', False), ('version', None)), models.Q(('test_set', None), ('version__isnull', False), models.Q(('split', ''), _negated=True)), _connector='OR'), name='modeltest_asks_one_thing')],
                },
            )],
        ),
        migrations.RunSQL(
            sql='ALTER TABLE training_app_run RENAME CONSTRAINT training_app_run_attempts_check TO training_app_run_attempt_check',
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            sql=CREATE,
            reverse_sql=DROP,
        ),
    ]
