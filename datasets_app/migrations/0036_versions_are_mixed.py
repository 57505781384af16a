"""Versions that are mixed from others keep which these are, and what each gave."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets_app", "0035_rare_rows_are_found"),
    ]

    operations = [
        migrations.CreateModel(
            name="VersionPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                ("share", models.FloatField(help_text="of the rows, in percent")),
                (
                    "wanted",
                    models.PositiveBigIntegerField(
                        help_text="rows of the whole mix; none: as many as there can be", null=True
                    ),
                ),
                ("splits", models.JSONField(default=dict, help_text="rows that it gave, by split")),
                (
                    "repeated",
                    models.PositiveBigIntegerField(
                        default=0, help_text="said by a part before it, too"
                    ),
                ),
                (
                    "held_back",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="kept for validation or test by another row that says it",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mixed_into",
                        to="datasets_app.version",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="datasets_app.version",
                    ),
                ),
            ],
            options={
                "verbose_name": "mixed version",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "place"), name="versionpart_place_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("version", "source"), name="versionpart_source_unique"
                    ),
                ],
            },
        ),
    ]
