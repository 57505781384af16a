"""Encoders: models that turn a sentence into a vector."""

from __future__ import annotations

import django.contrib.postgres.fields
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets_app', '0013_what_the_bytes_are'),
    ]

    operations = [
        migrations.CreateModel(
            name='Encoder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('path', models.CharField(help_text='relative to the data folder', max_length=300)),
                ('dims', models.PositiveIntegerField()),
                ('max_tokens', models.PositiveIntegerField()),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                ('sha256', models.CharField(help_text='of the graph that is used', max_length=64)),
                ('precision', models.CharField(default='fp32', help_text='of that graph', max_length=10)),
                ('state', models.CharField(choices=[('ready', 'Ready'), ('deleted', 'Deleted')], default='ready', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['ready', 'deleted'])), name='encoder_state_known')],
            },
        ),
    ]
