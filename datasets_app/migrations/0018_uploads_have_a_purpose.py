"""An upload says whether it brings conversations or a model."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0017_knowledge_of_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='purpose',
            field=models.CharField(choices=[('data', 'conversations'), ('model', 'a model, which the training room takes over')], default='data', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['data', 'model'])), name='upload_purpose_known'),
        ),
    ]
