"""Columns and stored values take the field's names: validation, duplicate_of."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def _rename(old: str, new: str) -> str:
    return f"""
UPDATE datasets_app_conversation SET side = '{new}' WHERE side = '{old}';
UPDATE datasets_app_versionrow SET side = '{new}' WHERE side = '{old}';
UPDATE datasets_app_version SET shares = shares - '{old}' || jsonb_build_object('{new}', shares -> '{old}')
    WHERE shares ? '{old}';
UPDATE datasets_app_version
    SET counts = jsonb_set(counts, '{{sides}}',
        (counts -> 'sides') - '{old}' || jsonb_build_object('{new}', counts #> '{{sides,{old}}}'))
    WHERE counts -> 'sides' ? '{old}';
UPDATE datasets_app_action SET filter = jsonb_set(filter, '{{side}}', '"{new}"')
    WHERE filter ->> 'side' = '{old}';
"""


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0005_copies_by_what_they_say")]
    operations: list[Any] = [
        migrations.RenameField("upload", "twin", "duplicate_of"),
        migrations.AlterField(
            "upload",
            "duplicate_of",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="copies",
                to="datasets_app.upload",
            ),
        ),
        migrations.RenameField("dataset", "valid_share", "validation_share"),
        migrations.RunSQL(_rename("valid", "validation"), _rename("validation", "valid")),
    ]
