"""Tokenizers that were made of a version."""

from __future__ import annotations

import uuid

from django.db import models

from datasets_app.models import Version


class Tokenizer(models.Model):
    """A tokenizer trained on a version; its folder never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, default="bpe")
    vocab_size = models.PositiveIntegerField()
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="tokenizers")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.vocab_size}"
