"""A new installation has one admin; containers can say whether they live."""

from __future__ import annotations

import os
import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db.models.functions import Now

from otto_web.lib.access import Role, role_of
from otto_web.lib.beat import host_name
from otto_web.lib.models import AuditEntry, ProcessBeat, ProcessKind


@pytest.fixture
def roles(transactional_db):
    for role in Role:
        Group.objects.get_or_create(name=role.group)


@pytest.mark.slow
def test_the_first_admin_is_made_once_and_can_sign_in(roles, capsys):
    call_command("prepare")
    password = re.search(r"first password (\S+)", capsys.readouterr().out).group(1)
    admin = authenticate(username="admin", password=password)
    assert role_of(admin) == Role.ADMIN
    assert AuditEntry.objects.filter(verb="create_first_admin").count() == 1
    call_command("prepare")
    assert "password" not in capsys.readouterr().out


@pytest.mark.slow
def test_where_somebody_administers_nobody_is_made(roles, capsys):
    User.objects.create_superuser("root")
    call_command("prepare")
    assert not User.objects.filter(username="admin").exists()


def test_a_container_lives_while_its_process_reports_itself(db):
    with pytest.raises(SystemExit, match="1"):
        call_command("is_alive", "short")
    ProcessBeat.objects.create(
        kind=ProcessKind.SHORT, host=host_name(), pid=os.getpid(), pid_started_at=1.0, seen_at=Now()
    )
    with pytest.raises(SystemExit, match="0"):
        call_command("is_alive", "short")
