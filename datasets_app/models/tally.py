"""How a large dataset is made up, kept beside it: nobody counts a million rows for a page."""

from __future__ import annotations

from django.db import models

from datasets_app.models.dataset import Dataset


class Tally(models.Model):
    """Rows by status, decision and reasons, as they are at one number of the dataset's changes.

    Whoever changes rows and knows how, moves it on in the same transaction. Where somebody did not,
    the number is an older one: then the rows are counted again and it is written anew.
    """

    dataset = models.OneToOneField(
        Dataset, primary_key=True, on_delete=models.CASCADE, related_name="tally"
    )
    at = models.PositiveBigIntegerField(help_text="the dataset's changes")
    groups = models.JSONField(help_text="lists of status, decision, reasons and number of rows")

    def __str__(self) -> str:
        return f"{self.dataset_id} at {self.at}"
