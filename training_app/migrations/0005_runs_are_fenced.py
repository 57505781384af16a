"""A run's state, fence and reasons are those of every other job."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


# PostgreSQL changes no column that a trigger names
DROP = "DROP TRIGGER run_moves ON training_app_run"
CREATE = """
CREATE TRIGGER run_moves BEFORE INSERT OR UPDATE OF state, fence, seq ON training_app_run
    FOR EACH ROW EXECUTE FUNCTION training_run_move()
"""
FORWARD = "UPDATE training_app_run SET queued_at = created_at"
# PostgreSQL alters no table with checks that wait for the end of the transaction
BACKWARD = """
UPDATE training_app_run SET not_before = coalesce(not_before, created_at);
SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0009_imports_are_work'),
        ('training_app', '0004_exports_are_work'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(DROP, CREATE),
        migrations.RemoveConstraint(
            model_name='run',
            name='run_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='run',
            name='run_finished_iff_terminal',
        ),
        migrations.AddField(
            model_name='run',
            name='queued_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AlterField(
            model_name='run',
            name='state',
            field=models.CharField(choices=[('receiving', 'Receiving'), ('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('succeeded', 'Succeeded'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', editable=False, max_length=12),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RenameField(
            model_name='run',
            old_name='attempt',
            new_name='attempts',
        ),
        migrations.AlterField(
            model_name='run',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='run',
            name='message',
            field=models.TextField(blank=True, default='', editable=False, help_text='a sentence for a person'),
        ),
        migrations.AlterField(
            model_name='run',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='run',
            name='reason',
            field=models.CharField(blank=True, default='', editable=False, help_text='a code, for filters', max_length=60),
        ),
        migrations.AlterField(
            model_name='runattempt',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempt_rows', to='training_app.run'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['receiving', 'queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted'])), name='run_state_known'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted'))), models.Q(models.Q(('state__in', ('succeeded', 'partial', 'failed', 'cancelled', 'interrupted')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='run_finished_iff_over'),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
