"""Words to be replaced in many rows: looked for, shown, put in their place, and taken back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from datasets_app.models.action import Action
from datasets_app.models.dataset import Dataset
from otto_web.lib.work.rows import Retry, Work


class Step(models.TextChoices):
    LOOK = "look"
    REPLACE = "replace"
    UNDO = "undo"


class Replacement(Work):
    """One search and replace; each step that a person orders is a piece of work on the same row.

    The look notes which rows hold the words and in which revision. The next step changes those
    rows and no others, each only while it is in that revision.
    """

    job = "datasets.replace_words"
    retry = Retry(
        message="It was interrupted several times. What was changed until then can be undone.",
        after_faults=True,
    )

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="replacements")
    wanted = models.JSONField(help_text="what is looked for, and what takes its place")
    query = models.TextField(default="", help_text="the filter, as in the table's address")
    step = models.CharField(max_length=10, choices=Step, default=Step.LOOK)
    cursor = models.PositiveBigIntegerField(default=0, help_text="how far the step has come")
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    n_rows = models.PositiveBigIntegerField(default=0, help_text="that hold the words")
    n_places = models.PositiveBigIntegerField(default=0)
    n_left = models.PositiveBigIntegerField(default=0, help_text="of which nothing would be left")
    tallies = models.JSONField(default=dict, help_text="rows of each switch, letters before, after")
    spared = ArrayField(models.BigIntegerField(), default=list, help_text="that a person took out")
    n_skipped = models.PositiveBigIntegerField(default=0, help_text="changed since the look")
    skipped = ArrayField(models.BigIntegerField(), default=list, help_text="the first of these")
    action = models.OneToOneField(
        Action, null=True, on_delete=models.SET_NULL, related_name="replacement"
    )

    def __str__(self) -> str:
        return f"{self.dataset_id}: {self.step}, {self.done} of {self.total}"


class ReplacementPart(models.Model):
    """Some of the rows that hold the words, in the order of the table, with their revisions."""

    replacement = models.ForeignKey(Replacement, on_delete=models.CASCADE, related_name="parts")
    conversations = ArrayField(models.BigIntegerField())
    revisions = ArrayField(models.IntegerField())

    def __str__(self) -> str:
        return f"{self.replacement_id}: {len(self.conversations)} rows"
