"""Makes links to reports, takes them back, and knows which one an address stands for."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils import timezone

from otto_web.lib import audit
from otto_web.lib.access import Role, has_role
from otto_web.lib.uuids import as_uuid
from training_app.lm.config import ConfigError
from training_app.models import ReportLink, Run

FEWEST_DAYS, MOST_DAYS, USUAL_DAYS = 1, 90, 14
_SIGNER = Signer(salt="training_app.report", sep=".")


@transaction.atomic
def make_link(run: Run, *, days: int, by: User) -> ReportLink:
    """Make a link for so many days. Raises ConfigError for a number outside 1 to 90."""
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise ConfigError("days", f"A link lasts {FEWEST_DAYS} to {MOST_DAYS} days.")
    until = timezone.now() + timedelta(days=days)
    link = ReportLink.objects.create(run=run, created_by=by, expires_at=until)
    audit.record(by, "report.linked", run, after={"link": str(link.pk), "days": days})
    return link


@transaction.atomic
def revoke_link(link: ReportLink, *, by: User) -> bool:
    """Take a link back; False where it was taken back before."""
    is_new = ReportLink.objects.filter(pk=link.pk, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    if is_new:
        audit.record(by, "report.unlinked", link.run, after={"link": str(link.pk)})
    return bool(is_new)


def signed(link: ReportLink) -> str:
    """Return what the address of a link ends with; nobody can make it up."""
    return _SIGNER.sign(link.pk.hex)


def run_of_link(text: str) -> UUID | None:
    """Return the run that a signed text opens; None where it is none, or not any more.

    It opens as long as who made it may see runs.
    """
    try:
        key = as_uuid(_SIGNER.unsign(text))
    except BadSignature:
        return None
    if key is None:
        return None
    link = ReportLink.objects.open().select_related("created_by").filter(pk=key).first()
    return link.run_id if link and has_role(link.created_by, Role.TRAINER) else None
