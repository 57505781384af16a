"""The cast of the tests stands on real servers."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from otto_web.lib.access import Role, role_of


def test_each_person_has_one_role(ada, theo, cora, mia, gus):
    assert [role_of(user) for user in (ada, theo, cora, mia, gus)] == [
        Role.ADMIN,
        Role.TRAINER,
        Role.CURATOR,
        Role.MEMBER,
        None,
    ]


def test_the_database_is_a_new_enough_postgresql(db):
    assert connection.pg_version >= 160000


def test_an_older_database_is_refused_before_anything_is_changed(db, monkeypatch):
    monkeypatch.setitem(vars(connections["default"]), "pg_version", 150004)
    with pytest.raises(CommandError, match="is PostgreSQL 15; OTTO needs 16 or newer"):
        call_command("migrate", verbosity=0)


def test_the_extensions_come_with_the_first_migration(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        assert {"pg_trgm", "btree_gin", "unaccent"} <= {name for (name,) in cursor.fetchall()}


def test_the_channel_layer_reaches_redis(redis_server):
    async def scenario():
        layer = get_channel_layer()
        await layer.group_add("somebody", "here")
        await layer.group_send("somebody", {"type": "some.note", "id": 1})
        return await layer.receive("here")

    assert async_to_sync(scenario)()["id"] == 1
