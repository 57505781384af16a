"""A base may come in a file that somebody brought."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0018_uploads_have_a_purpose'),
        ('training_app', '0009_base_models'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='base',
            name='base_source_known',
        ),
        migrations.AddField(
            model_name='base',
            name='upload',
            field=models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='base', to='datasets_app.upload'),
        ),
        migrations.AlterField(
            model_name='base',
            name='source',
            field=models.CharField(choices=[('package', 'package, fetched'), ('upload', 'file that somebody brought'), ('local', 'folder of local models')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='base',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['package', 'upload', 'local'])), name='base_source_known'),
        ),
    ]
