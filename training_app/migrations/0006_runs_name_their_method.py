"""Stored settings say by which method and with which tokenizer a run trains; hashes follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import migrations

Spec = dict[str, Any]


def named(spec: Spec) -> Spec:
    """Return a specification of schema 1 as schema 2 writes it."""
    if "model" not in spec or "schema" in spec:
        return spec
    is_started = bool(spec.get("start_from"))
    data = dict(spec.get("data", {}))
    data["tokenizer"] = data.get("tokenizer") or ("own" if is_started else "bpe")
    return {**spec, "data": data, "method": "full" if is_started else "scratch", "schema": 2}


def unnamed(spec: Spec) -> Spec:
    """Return a specification of schema 2 as schema 1 wrote it."""
    kept = {key: value for key, value in spec.items() if key not in {"method", "schema"}}
    newer = {"optimizer", "decay_share", "lora_rank", "lora_alpha"}
    if "train" in kept:
        kept["train"] = {key: v for key, v in kept["train"].items() if key not in newer}
    if "data" in kept:
        kept["data"] = {**kept["data"], "tokenizer": ""}
    return kept


def rewrite(apps: Any, changed: Callable[[Spec], Spec]) -> None:
    runs = apps.get_model("training_app", "Run").objects
    for run in runs.only("spec").iterator():
        spec = changed(run.spec)
        if spec != run.spec:
            text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            runs.filter(pk=run.pk).update(spec=spec, spec_sha256=digest)


def forward(apps: Any, schema_editor: Any) -> None:
    rewrite(apps, named)


def backward(apps: Any, schema_editor: Any) -> None:
    rewrite(apps, unnamed)


class Migration(migrations.Migration):
    dependencies = [("training_app", "0005_runs_are_fenced")]
    operations = [migrations.RunPython(forward, backward)]
