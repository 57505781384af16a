"""OTTO's own API of deployments; asking them is OpenAI's API at /v1/."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from django.shortcuts import get_object_or_404

from chat_app.models import Deployment
from otto_web.lib.access import Role
from otto_web.lib.api.bodies import Listed, Paged, listed
from otto_web.lib.api.endpoints import Call, May, endpoint, resource
from otto_web.lib.tokens import Scope

LOOK = May(Scope.READ, Role.TRAINER)


class DeploymentsAsked(Paged, frozen=True):
    """Which deployments are listed, by name."""

    with_retired: bool = False


class DeploymentBody(msgspec.Struct):
    """An alias that points at a model: the `model` of OpenAI's API."""

    alias: str
    model_id: UUID | None
    words_from: str
    how: str
    is_answering: bool
    is_retired: bool
    is_logging: bool
    created_at: datetime
    switched_at: datetime

    @classmethod
    def of(cls, row: Deployment) -> DeploymentBody:
        return cls(
            row.alias,
            row.model_id,
            row.words_from,
            row.how,
            row.is_answering,
            not row.is_active,
            row.is_logging,
            row.created_at,
            row.switched_at,
        )


@endpoint("GET", "The deployments, by name", may=LOOK)
def deployments_list(call: Call, query: DeploymentsAsked) -> Listed[DeploymentBody]:
    rows = Deployment.objects.visible_to(call.user)
    if not query.with_retired:
        rows = rows.filter(is_active=True)
    related = rows.select_related("model", "knowledge__version__dataset").order_by("alias")
    return listed(related, query, DeploymentBody.of)


@endpoint("GET", "A deployment", may=LOOK)
def deployment_get(call: Call, alias: str) -> DeploymentBody:
    rows = Deployment.objects.visible_to(call.user)
    related = rows.select_related("model", "knowledge__version__dataset")
    return DeploymentBody.of(get_object_or_404(related, pk=alias))


deployments = resource(deployments_list)
deployment = resource(deployment_get)
