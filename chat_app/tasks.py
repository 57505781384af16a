"""Doors from Celery to the jobs."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task


@shared_task
def prove_serving_export_task(export_id: str) -> None:
    from chat_app.jobs import serving_exports  # keeps a job's imports out of the web process

    serving_exports.prove_serving_export(int(export_id))


@shared_task
def export_portable_task(export_id: str) -> None:
    from chat_app.jobs import portable_exports

    portable_exports.export_portable_model(int(export_id))


@shared_task
def advance_pipeline_task(pipeline_id: str) -> None:
    from chat_app.jobs import pipelines

    pipelines.advance(UUID(pipeline_id))
