"""Tokenizers whose tokens can be counted: those of the installation's models."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models

TOKENIZER = "tokenizer.json"


class KnownTokenizer(models.Model):
    """The tokenizer of a model, which the training room tells of; it has the model's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=250)
    path = models.CharField(max_length=300, help_text="its folder, relative to the data folder")

    def __str__(self) -> str:
        return self.name

    @property
    def file(self) -> Path:
        """Return where it lies."""
        return Path(settings.OTTO_DATA_DIR) / self.path / TOKENIZER
