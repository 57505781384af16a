"""A file may be one line of many gigabytes, so the column of a problem is as large as its place."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0015_sides_are_splits")]

    operations = [
        migrations.AlterField(
            model_name="issue", name="column", field=models.PositiveBigIntegerField(null=True)
        )
    ]
