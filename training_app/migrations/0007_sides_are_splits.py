"""An evaluation names the split that it measured by the field's word."""

from __future__ import annotations

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("training_app", "0006_runs_name_their_method")]
    operations: list[Any] = [migrations.RenameField("evaluation", "side", "split")]
