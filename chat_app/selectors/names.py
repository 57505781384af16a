"""Finding what a script names: a deployment, and who asks."""

from __future__ import annotations

from django.contrib.auth.models import User

from chat_app.models import Deployment
from chat_app.serving.errors import ServingError


def deployment_named(alias: str) -> Deployment:
    """Return the deployment that answers under this name."""
    answering = Deployment.objects.filter(is_active=True, export__isnull=False)
    found = answering.select_related("model", "export").filter(alias=alias).first()
    if found is None:
        names = ", ".join(answering.order_by("alias").values_list("alias", flat=True)) or "none yet"
        raise ServingError(f"Nothing answers as “{alias}”. Deployments: {names}.")
    deployment: Deployment = found
    return deployment


def asker_named(username: str) -> User:
    """Return the person whose chat it will be: the one named, else the first admin."""
    active = User.objects.filter(is_active=True)
    if username:
        person = active.filter(username=username).first()
    else:
        person = active.filter(is_superuser=True).order_by("pk").first()
        person = person or active.filter(groups__name="admin").order_by("pk").first()
    if person is None:
        who = f"person “{username}”" if username else "admin"
        raise ServingError(f"There is no {who}. Name somebody with --user.")
    return person
