"""What the pages of deployments show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from chat_app.models import EXACT, QUICK, Deployment, Kind, ServingExport
from chat_app.selectors.chats import possible_starters
from chat_app.serving.graph_files import SERVING
from otto_web.lib.work.states import State
from training_app.models import TrainedModel
from training_app.selectors.exports import format_lines

EVENTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ParityCheck:
    """The serving file of one model, with its figures."""

    export: ServingExport

    @property
    def is_under_way(self) -> bool:
        return self.export.is_under_way

    @property
    def is_quick(self) -> bool:
        return bool(self.export.precision == QUICK)

    @property
    def other(self) -> str:
        """Return the precision in which a person could let it answer instead."""
        return EXACT if self.is_quick else QUICK

    @property
    def gate(self) -> str:
        """Say how 8-bit weights compared with full precision; empty where nobody asked."""
        return str(self.export.figures.get("gate", ""))

    @property
    def is_refused(self) -> bool:
        """Return whether 8-bit weights were tried and did not answer alike."""
        return bool(self.gate and not self.is_quick)

    @property
    def size(self) -> int | None:
        """Return the bytes of the file that serves; older ones do not say."""
        return self._sizes.get(self.export.precision)

    @property
    def size_exact(self) -> int | None:
        """Return the bytes of the file of full precision."""
        return self._sizes.get(EXACT)

    @property
    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = self.export.figures.get("sizes", {})
        return sizes

    @property
    def speeds(self) -> list[tuple[int, float]]:
        """Return tokens per second, all people together, at 1, 4 and 8 people."""
        measured = self.export.calibration
        return [(n, measured[f"decode_{n}"]) for n in (1, 4, 8) if f"decode_{n}" in measured]

    @property
    def reading_speed(self) -> float | None:
        speed: float | None = self.export.calibration.get("prefill")
        return speed

    @property
    def tokens_compared(self) -> int:
        return int(self.export.figures.get("tokens", 0))

    @property
    def is_greedy_equal(self) -> bool:
        return bool(self.export.figures.get("greedy_equal"))


def deployment_list(user: User) -> list[Deployment]:
    """Return all deployments, those that answer first; one query."""
    found = Deployment.objects.visible_to(user).select_related("model", "export", "next_model")
    counted = found.annotate(n_chats=Count("chats", filter=Q(chats__kind=Kind.PAGE)))
    return list(counted.order_by("-is_active", "alias"))


def deployable_models(user: User) -> QuerySet[TrainedModel]:
    """Return the models that can answer, newest first."""
    ready = TrainedModel.objects.visible_to(user).ready()
    return ready.filter(is_chat=True).order_by("-created_at")


def parity_check_of(model: TrainedModel | None) -> ParityCheck | None:
    """Return the check of the serving file that was ordered last."""
    if model is None:
        return None
    rows = ServingExport.objects.filter(model=model).exclude(state=State.CANCELLED)
    export = rows.order_by("-queued_at", "-pk").first()
    return ParityCheck(export) if export else None


def live_part(deployment: Deployment) -> dict[str, Any]:
    """Return what changes while a check is under way; three queries."""
    waiting = parity_check_of(deployment.next_model)
    return {
        "deployment": deployment,
        "waiting": waiting,
        "parity_check": ParityCheck(deployment.export) if deployment.export else None,
        "is_under_way": deployment.next_model is not None
        and (waiting is None or waiting.is_under_way),
    }


def deployment_page(deployment: Deployment) -> dict[str, Any]:
    """Return the whole page of one deployment."""
    events = list(deployment.events.select_related("model", "actor").order_by("-at", "-pk"))
    others = [event.model for event in events if event.model_id != deployment.model_id]
    return {
        **live_part(deployment),
        "events": events[:EVENTS_SHOWN],
        "previous": next((one for one in others if one and one.state == "ready"), None),
        "n_chats": deployment.chats.filter(kind=Kind.PAGE).count(),
        "n_logged": deployment.log_entries.count(),
        "possible_starters": possible_starters(deployment),
    }


def model_exports_page(model: TrainedModel) -> dict[str, Any]:
    """Return a model's files for serving and for other tools."""
    formats = format_lines(model)
    return {
        "model": model,
        "serving": SERVING,
        "parity_check": parity_check_of(model),
        "formats": formats,
        "is_under_way": any(line.is_under_way for line in formats),
        "deployments": list(model.deployments.filter(is_active=True).order_by("alias")),
    }
