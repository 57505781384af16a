"""Runs start in a fair order and have no other: columns go that nobody wrote or read."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training_app", "0007_sides_are_splits")]

    operations = [
        migrations.RemoveIndex(model_name="run", name="run_queue"),
        migrations.RemoveField(model_name="run", name="priority"),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["created_at"], name="run_queue"
            ),
        ),
        migrations.RemoveField(model_name="tokenizer", name="stats"),
    ]
