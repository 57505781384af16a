"""What the pages of people read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from otto_web.lib.access import Role
from otto_web.lib.models import AuditEntry
from otto_web.pages.selectors.trail import Line, lines_of

LATEST_CHANGES = 20


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the list of people."""

    id: int
    name: str
    username: str
    role: Role | None
    is_active: bool
    has_password: bool
    last_login: datetime | None

    @property
    def state(self) -> str:
        if not self.is_active:
            return "deactivated"
        return "active" if self.has_password else "waiting"

    @property
    def state_words(self) -> str:
        return "no password yet" if self.state == "waiting" else self.state


def person_row(person: User) -> PersonRow:
    """Return what the pages show of a person; the groups were fetched before."""
    names = {group.name for group in person.groups.all()}
    roles = [role for role in Role if role.group in names]
    return PersonRow(
        id=person.pk,
        name=person.get_full_name() or person.username,
        username=person.username,
        role=Role.ADMIN if person.is_superuser else max(roles, default=None),
        is_active=person.is_active,
        has_password=person.has_usable_password(),
        last_login=person.last_login,
    )


def people() -> list[PersonRow]:
    """Return everybody, active first, by name; two queries."""
    everybody = User.objects.prefetch_related("groups")
    order = everybody.order_by("-is_active", "first_name", "username")
    return [person_row(person) for person in order]


def changes_of(person: User) -> list[Line]:
    """Return the latest changes of one person's account."""
    entries = AuditEntry.objects.filter(object_type="user", object_id=str(person.pk))
    return lines_of(list(entries.select_related("actor").order_by("-at")[:LATEST_CHANGES]))
