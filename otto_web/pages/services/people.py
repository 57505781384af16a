"""Everything that changes people: who may sign in, and as what."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from otto_web.lib import audit
from otto_web.lib.access import Role, role_of
from otto_web.lib.presence import notify_person
from otto_web.pages.services.sessions import end_access, end_sessions, link_tokens


class PeopleError(ValueError):
    """A change of people that cannot be made, as a sentence for the admin."""


@transaction.atomic(durable=True)
def create_person(*, actor: User, username: str, name: str, role: Role) -> User:
    """Make a person who can sign in once they have set a password by a one-time link."""
    person = User(username=username, first_name=name)
    person.set_unusable_password()
    person.full_clean()
    person.save(force_insert=True)
    person.groups.set([Group.objects.get(name=role.group)])
    after = {"username": username, "name": name, "role": role.group}
    audit.record(actor, "person.created", person, after=after)
    return person


@transaction.atomic(durable=True)
def change_role(person: User, role: Role, *, actor: User) -> None:
    """Give the person exactly this role; somebody active stays an admin."""
    before = role_of(person) or _stored_role(person)
    if before == role:
        return
    if role < Role.ADMIN:
        _keep_an_admin(without=person)
    person.groups.set([Group.objects.get(name=role.group)])
    if person.is_superuser:
        person.is_superuser = False
        person.save(update_fields=["is_superuser"])
    notify_person(person.pk)
    old = {"role": before.group if before else None}
    audit.record(actor, "person.role_changed", person, before=old, after={"role": role.group})


def _stored_role(person: User) -> Role | None:
    names = set(person.groups.values_list("name", flat=True))
    return max((role for role in Role if role.group in names), default=None)


@transaction.atomic(durable=True)
def deactivate(person: User, *, actor: User) -> None:
    """Sign the person out for good, links and keys included; what they made stays."""
    _keep_an_admin(without=person)
    if _set_active(person, actor=actor, is_active=False):
        end_access(person)


@transaction.atomic(durable=True)
def reactivate(person: User, *, actor: User) -> None:
    """Let the person sign in again with the password and role they had."""
    end_sessions(person)  # one that began while the account was being deactivated
    _set_active(person, actor=actor, is_active=True)


def _set_active(person: User, *, actor: User, is_active: bool) -> bool:
    changed = User.objects.filter(pk=person.pk, is_active=not is_active).update(is_active=is_active)
    if changed:
        notify_person(person.pk)
        verb = "person.reactivated" if is_active else "person.deactivated"
        audit.record(actor, verb, person)
    return bool(changed)


def _keep_an_admin(*, without: User) -> None:
    """Refuse what would leave no admin; the lock makes two such changes wait for each other."""
    group = Group.objects.select_for_update().get(name=Role.ADMIN.group)
    admins = User.objects.filter(Q(groups=group) | Q(is_superuser=True), is_active=True)
    ids = set(admins.values_list("pk", flat=True))
    if ids == {without.pk}:
        raise PeopleError(
            f"{without.username} is the only admin. Make somebody else an admin first: "
            "without one, nobody could manage people."
        )


@transaction.atomic(durable=True)
def make_link(person: User, *, actor: User) -> str:
    """Return the path of a link that sets the person's password once, within seven days."""
    if not person.is_active:
        raise PeopleError(f"{person.username} is deactivated. Reactivate the account first.")
    audit.record(actor, "person.link_made", person)
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    return reverse("set-password", args=[uid, link_tokens.make_token(person)])
