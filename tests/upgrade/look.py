"""Run in a process of its own: walk an upgraded database as an admin, print what is wrong."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.apps import apps  # noqa: E402 - needs the settings
from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import URLPattern, URLResolver, get_resolver, reverse  # noqa: E402

from training_app.lm.config import RunSpec, TrainingError  # noqa: E402
from training_app.models import Run  # noqa: E402

OUR_APPS = {"otto", "datasets_app", "training_app", "chat_app", "otto_loop"}
# the argument of an address and the model whose keys it takes
ARGUMENTS = {
    "upload_id": "datasets_app.Upload",
    "file_id": "datasets_app.SourceFile",
    "dataset_id": "datasets_app.Dataset",
    "version_id": "datasets_app.Version",
    "row_id": "datasets_app.Conversation",
    "conversation_id": "datasets_app.Conversation",
    "run_id": "training_app.Run",
    "model_id": "training_app.TrainedModel",
    "pipeline_id": "otto_loop.Pipeline",
    "chat_id": "chat_app.Chat",
    "message_id": "chat_app.Message",
    "alias": "chat_app.Deployment",
    "person_id": "auth.User",
}
MOST_OF_A_KIND = 10


def unknown_choices():
    """Yield stored values that no longer stand among the choices of their column."""
    for model in apps.get_models():
        if model._meta.app_label not in OUR_APPS:
            continue
        for column in model._meta.concrete_fields:
            if not column.choices:
                continue
            known = {value for value, _ in column.flatchoices} | {None, ""}
            stored = set(model._base_manager.values_list(column.name, flat=True).distinct())
            if stored - known:
                yield f"{model._meta.label}.{column.name}: {sorted(stored - known)}"


def unreadable_specs():
    for run in Run.objects.all():
        try:
            RunSpec.from_json(run.spec)
        except TrainingError as error:
            yield f"run {run.pk}: {error}"


def patterns(resolver):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        elif isinstance(entry, URLPattern) and entry.name:
            yield entry


def addresses():
    """Yield the address of every page, once per row that it can show."""
    for pattern in patterns(get_resolver()):
        wanted = list(pattern.pattern.converters)
        if not wanted:
            yield reverse(pattern.name)
        elif len(wanted) == 1 and wanted[0] in ARGUMENTS:
            rows = apps.get_model(ARGUMENTS[wanted[0]])._base_manager
            for pk in rows.order_by("pk").values_list("pk", flat=True)[:MOST_OF_A_KIND]:
                yield reverse(pattern.name, kwargs={wanted[0]: pk})


def broken_pages():
    admin = User.objects.create_superuser("looker")
    client = Client(raise_request_exception=False)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    for address in addresses():
        status = client.get(address).status_code
        if status >= 500 and address != "/readyz":  # no workers run here
            yield f"{address} answers {status}"


json.dump(
    {
        "choices": list(unknown_choices()),
        "specs": list(unreadable_specs()),
        "pages": list(broken_pages()),
    },
    sys.stdout,
)
