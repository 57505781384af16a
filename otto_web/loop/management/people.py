"""Who commands act as."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from otto_web.lib.access import Role

SCRIPT_USER = "script"


def script_user() -> User:
    """Return the person that scripts act as: nobody can sign in as them."""
    user, is_new = User.objects.get_or_create(username=SCRIPT_USER)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get_or_create(name=Role.TRAINER.group)[0])
    return user
