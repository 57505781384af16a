"""Rows of the chat rooms, made without a model or an engine."""

from __future__ import annotations

from django.db.models.functions import Now
from django.utils import timezone

from chat_app.models import (
    Chat,
    Deployment,
    DeploymentEvent,
    Generation,
    LogEntry,
    Message,
    ServingExport,
)
from otto_web.lib.work.states import State
from training_app.models import TrainedModel

FIGURES = {"prompts": 32, "tokens": 2048, "greedy_equal": True}
SPEEDS = {"decode_1": 310.4, "decode_4": 820.0, "decode_8": 1240.9, "prefill": 5210.0}
TIMINGS = {"tokens": 9, "tokens_per_second": 21.7, "first_token_ms": 45.2}

ENDED = {"finished_at": Now(), "lease_until": None}  # beside any state in which work is over


def make_model(name="support-3m", number=1, **columns):
    return TrainedModel.objects.create(
        name=name, number=number, family="llama", params=3_100_000, context=256,
        path=f"models/{name}-{number}", manifest_sha256="0" * 64, **columns,
    )  # fmt: skip


def make_export(model, **columns):
    return ServingExport.objects.create(
        model=model, state="succeeded", finished_at=timezone.now(),
        path=model.path, onnxruntime="1.31.1", cpu="x86_64",
        parity_max=1.4e-6, figures=FIGURES, calibration=SPEEDS, **columns,
    )  # fmt: skip


def make_served(alias="support", model=None):
    """Return a deployment whose model is checked, as its rows say."""
    model = model or make_model()
    made = Deployment.objects.create(alias=alias, model=model, export=make_export(model))
    DeploymentEvent.objects.create(deployment=made, model=model, detail=f"{model} answers")
    return made


def add_chat(deployment, owner, exchanges, *, is_logged=False):
    """Return a chat with finished answers, each with its log entry if asked for."""
    chat = Chat.objects.create(owner=owner, deployment=deployment, title=exchanges[0][0])
    last = None
    for question, text in exchanges:
        asked = Message.objects.create(chat=chat, parent=last, role="user", text=question)
        last = Message.objects.create(chat=chat, parent=asked, role="assistant", text=text)
        Generation.objects.create(
            answer=last, deployment=deployment, model=deployment.model, export=deployment.export,
            state=State.SUCCEEDED, finished_at=timezone.now(), finish="stop", timings=TIMINGS,
        )  # fmt: skip
        if is_logged:
            LogEntry.objects.create(message=last, deployment=deployment, model=deployment.model)
    return chat
