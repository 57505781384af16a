"""Doors from Celery to the jobs: an id comes in, the job looks at the row again."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task


@shared_task
def import_upload_task(upload_id: str) -> None:
    from datasets_app.jobs.importing import import_upload  # keeps its imports out of the web

    import_upload(UUID(upload_id))


@shared_task
def remove_upload_task(upload_id: str) -> None:
    from datasets_app.jobs.removing import remove_upload

    remove_upload(UUID(upload_id))


@shared_task
def freeze_version_task(version_id: str) -> None:
    from datasets_app.services import freezing

    freezing.freeze(UUID(version_id))


@shared_task
def rescore_dataset_task(dataset_id: str) -> None:
    from datasets_app.jobs import rescoring

    rescoring.rescore_dataset(UUID(dataset_id))
