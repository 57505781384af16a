"""Files of the server that somebody chose to load, without sending them through a browser."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from datasets_app.models.querysets import CuratorsQuerySet
from otto_web.lib.work.rows import Retry, Work


class FolderLoad(Work):
    """Some files of an allowed folder; each becomes an upload, one after the other."""

    job = "datasets.load_folder"
    retry = Retry(message="Loading was interrupted several times. Choose what is missing again.")

    root = models.TextField(help_text="the folder as the operator named it")
    names = ArrayField(models.TextField(), help_text="paths below it")
    done = models.PositiveIntegerField(default=0)
    dataset_choice = models.CharField(max_length=200, default="", help_text="as uploads take it")
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.root}: {self.done} of {len(self.names)} files"
