"""Columns, an index and stored keys take the field's word: split instead of side."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def _rename_keys(old: str, new: str) -> str:
    return f"""
UPDATE datasets_app_version
    SET counts = counts - '{old}s' || jsonb_build_object('{new}s', counts -> '{old}s')
    WHERE counts ? '{old}s';
UPDATE datasets_app_action
    SET filter = filter - '{old}' || jsonb_build_object('{new}', filter -> '{old}')
    WHERE filter ? '{old}';
"""


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0014_encoders")]
    operations: list[Any] = [
        migrations.RenameField("conversation", "side", "split"),
        migrations.RenameField("versionrow", "side", "split"),
        migrations.SeparateDatabaseAndState(
            # the index follows its column by itself: only its name changes, and nothing is built
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX versionrow_by_side RENAME TO versionrow_by_split",
                    "ALTER INDEX versionrow_by_split RENAME TO versionrow_by_side",
                )
            ],
            state_operations=[
                migrations.RemoveIndex("versionrow", "versionrow_by_side"),
                migrations.AddIndex(
                    "versionrow",
                    models.Index(
                        fields=["version", "split", "position"], name="versionrow_by_split"
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            "version",
            "counts",
            models.JSONField(
                blank=True,
                default=dict,
                help_text="rows by split, words, characters, passages, set aside",
            ),
        ),
        migrations.RunSQL(_rename_keys("side", "split"), _rename_keys("split", "side")),
    ]
