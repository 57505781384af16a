"""Tags of a dataset, and which rows have them."""

from __future__ import annotations

from django.db import models

from datasets_app.models.conversation import Conversation
from datasets_app.models.dataset import Dataset


class Tag(models.Model):
    """A word that people put on rows; one that no row has is shown nowhere, but can come back."""

    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="tags",
        db_index=False,  # tag_name_unique begins with it
    )
    name = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "name"], name="tag_name_unique")]

    def __str__(self) -> str:
        return self.name


class RowTag(models.Model):
    """A row has a tag. A table of its own: tagging then changes no row and none of its indexes."""

    tag = models.ForeignKey(
        Tag,
        on_delete=models.CASCADE,
        related_name="rows",
        db_index=False,  # rowtag_unique begins with it
    )
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="tagged")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tag", "conversation"], name="rowtag_unique")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.tag_id}"
