"""Tokenizers that somebody ordered by themselves, for runs that come later."""

from __future__ import annotations

import uuid

from django.db import models

from datasets_app.models import Version
from otto_web.lib.access import Role, has_role
from otto_web.lib.work.rows import Retry, Work
from otto_web.lib.work.states import State
from training_app.models.paths import TOKENIZERS


class MadeTokenizerQuerySet(models.QuerySet["MadeTokenizer"]):
    """Tokenizers, for those who may train."""

    def visible_to(self, user: object) -> MadeTokenizerQuerySet:
        return self if has_role(user, Role.TRAINER) else self.none()  # type: ignore[arg-type]

    def ready(self) -> MadeTokenizerQuerySet:
        """Leave out those that are not made yet, or came to nothing."""
        return self.filter(state=State.SUCCEEDED)


class MadeTokenizer(Work):
    """The order to make a tokenizer of a version; once made its folder never changes."""

    job = "training.make_tokenizer"
    retry = Retry(most=2, message="Making it was interrupted twice. Order it once more.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="made_tokenizers")
    recipe = models.JSONField(help_text="a Recipe: method, size, and what is kept back")
    entries = models.PositiveIntegerField(default=0, help_text="how many it has")
    path = models.CharField(max_length=300, default="", help_text="relative to the data folder")
    sha256 = models.CharField(max_length=64, default="", help_text="of its tokenizer.json")
    stats = models.JSONField(default=dict, help_text="Measured")
    created_at = models.DateTimeField(auto_now_add=True)
    objects = MadeTokenizerQuerySet.as_manager()

    class Meta(Work.Meta):
        verbose_name = "tokenizer"
        indexes = [
            *Work.Meta.indexes,
            # the list, newest first
            models.Index(fields=["-created_at"], name="made_tokenizer_by_time"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> str:
        """Return the place that only the attempt with this fence writes to."""
        return f"{TOKENIZERS}/{self.pk}-f{self.fence}"

    @property
    def is_ready(self) -> bool:
        return self.state == State.SUCCEEDED
