"""Finding what a script names: a deployment, and who asks."""

from __future__ import annotations

import re
from itertools import count

from django.contrib.auth.models import User
from django.utils.text import slugify

from chat_app.models import Deployment
from chat_app.serving.errors import ServingError

LONGEST_ALIAS = 50  # leaves room for a number


def deployment_named(alias: str) -> Deployment:
    """Return the deployment that answers under this name."""
    answering = Deployment.objects.answering()
    found = answering.select_related("model", "export").filter(alias=alias).first()
    if found is None:
        names = ", ".join(answering.order_by("alias").values_list("alias", flat=True)) or "none yet"
        raise ServingError(f"Nothing answers as “{alias}”. Deployments: {names}.")
    deployment: Deployment = found
    return deployment


def free_alias(wanted: str) -> str:
    """Return a name like the wanted text that no deployment has yet."""
    base = slugify(wanted).replace("_", "-")[:LONGEST_ALIAS].strip("-")
    base = re.sub("-+", "-", base) or "model"
    taken = {*Deployment.objects.values_list("alias", flat=True), "new"}  # the last is an address
    names = (f"{base}-{number}" if number > 1 else base for number in count(1))
    return next(name for name in names if name not in taken)


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
