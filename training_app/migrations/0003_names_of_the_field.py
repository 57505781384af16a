"""Columns and stored settings take the field's names; the hash of a specification follows it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import migrations

RENAMED = {
    "model": {"width": "hidden_size", "vocabulary": "vocab_size", "tied": "tie_word_embeddings"},
    "train": {
        "peak_rate": "learning_rate",
        "final_rate": "min_learning_rate",
        "clip": "max_grad_norm",
    },
}


def renamed(spec: dict[str, Any], names: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the specification with other names of its settings; order and values stay."""
    return {
        part: {names[part].get(key, key): value for key, value in values.items()}
        if part in names and isinstance(values, dict)
        else values
        for part, values in spec.items()
    }


def rename_settings(apps: Any, names: dict[str, dict[str, str]]) -> None:
    runs = apps.get_model("training_app", "Run").objects
    for run in runs.only("spec").iterator():
        spec = renamed(run.spec, names)
        if spec != run.spec:
            text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            runs.filter(pk=run.pk).update(spec=spec, spec_sha256=digest)


def forward(apps: Any, schema_editor: Any) -> None:
    rename_settings(apps, RENAMED)


def backward(apps: Any, schema_editor: Any) -> None:
    back = {part: {new: old for old, new in names.items()} for part, names in RENAMED.items()}
    rename_settings(apps, back)


VALUES = """
UPDATE training_app_runpoint SET name = 'validation/' || split_part(name, '/', 2)
    WHERE name LIKE 'held_out/%';
UPDATE training_app_evaluation SET side = 'validation' WHERE side = 'valid';
"""
VALUES_BACK = """
UPDATE training_app_runpoint SET name = 'held_out/' || split_part(name, '/', 2)
    WHERE name LIKE 'validation/%';
UPDATE training_app_evaluation SET side = 'valid' WHERE side = 'validation';
"""


class Migration(migrations.Migration):
    dependencies = [("training_app", "0002_run_moves")]
    operations = [
        migrations.RenameField("trainedmodel", "talks", "is_chat"),
        migrations.RenameField("checkpoint", "val_loss", "validation_loss"),
        migrations.RunSQL(VALUES, VALUES_BACK),
        migrations.RunPython(forward, backward),
    ]
