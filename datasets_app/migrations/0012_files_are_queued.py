"""A file that is still to be read is queued, as other things are that wait for a worker."""

from __future__ import annotations

from django.db import migrations, models

FORWARD = "UPDATE datasets_app_sourcefile SET verdict = 'queued' WHERE verdict = 'pending'"
BACKWARD = "UPDATE datasets_app_sourcefile SET verdict = 'pending' WHERE verdict = 'queued'"


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0011_removals_are_work'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='sourcefile',
            name='sourcefile_verdict_known',
        ),
        migrations.RemoveIndex(
            model_name='sourcefile',
            name='sourcefile_by_turn',
        ),
        migrations.AlterField(
            model_name='sourcefile',
            name='verdict',
            field=models.CharField(choices=[('queued', 'Queued'), ('loaded', 'Loaded'), ('skipped', 'Skipped'), ('failed', 'Failed'), ('waiting', 'Waiting')], default='queued', max_length=10),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddIndex(
            model_name='sourcefile',
            index=models.Index(condition=models.Q(('verdict', 'queued')), fields=['upload', 'depth', 'member_no'], name='sourcefile_by_turn'),
        ),
        migrations.AddConstraint(
            model_name='sourcefile',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['queued', 'loaded', 'skipped', 'failed', 'waiting'])), name='sourcefile_verdict_known'),
        ),
    ]
