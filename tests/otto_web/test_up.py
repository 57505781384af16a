"""One command starts everything; one signal stops it; nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request

import psutil
import psycopg
import pytest

from tests.otto_web.installation import ROOT, Installation, words_of
from tests.waiting import until

pytestmark = pytest.mark.slow
SUPERVISOR = "supervisor.supervisord"
PARTS = (("run_web",), ("run_reaper",), ("-Q", "short"), ("-Q", "train"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """One installation for the tests that leave it as they found it."""
    bases = {"OTTO_BASES": "1", "OTTO_PIP_ARGS": "--no-index --isolated"}  # an offline machine
    with Installation(tmp_path_factory.mktemp("installation") / "var", **bases) as installation:
        yield installation


def get(address):
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
        return answer.status, answer.read().decode()


@pytest.mark.checklist(413)
def test_up_starts_every_part_and_prints_the_address_last(installed):
    assert get(f"{installed.address}/healthz") == (200, '{"status": "ok"}')
    for words in PARTS:
        until(lambda words=words: installed.find(*words))
    assert len(installed.password) >= 12
    lines = installed.said.splitlines()
    assert lines[-3:-1] == [
        f"OTTO: {installed.address}",
        f"Sign in as admin with the first password {installed.password}",
    ]
    assert lines[-1].startswith("Set your own with: ")
    assert lines[-1].endswith(" manage.py changepassword admin")
    assert (installed.folder / "run" / "services.json").stat().st_mode & 0o777 == 0o600


def test_the_base_models_are_ordered_behind_the_page_and_their_absence_is_said(installed):
    assert "Fetching the base models, 176 MB; you can begin meanwhile." in installed.said
    query = "SELECT reason FROM training_app_base"
    until(lambda: asked(installed, query) == [("not_fetched",)] * 2)


def asked(installation, query):
    """Return what the installation's own database answers; nothing while it is away."""
    try:
        with psycopg.connect(installation.services["database_url"]) as connection:
            return connection.execute(query).fetchall()
    except psycopg.OperationalError:
        return None


def test_what_dies_is_started_again(installed):
    for words in PARTS:
        dead = until(lambda words=words: installed.find(*words))
        oldest = min(dead, key=psutil.Process.create_time)
        oldest.kill()
        until(lambda words=words, dead=dead: set(installed.find(*words)) - set(dead))
    until(lambda: answers(installed))


def answers(installation):
    """Say whether the web process is back."""
    try:
        return get(f"{installation.address}/healthz")
    except OSError:
        return None


def test_the_database_is_started_again(installed):
    server = next(one for one in installed.processes() if "postgres" in one.name())
    postmaster = max([server, *server.parents()], key=lambda one: "-D" in one.cmdline())
    postmaster.kill()
    until(lambda: asked(installed, "SELECT count(*) FROM auth_group") == [(4,)])


def manage(installation, *words):
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command, cwd=ROOT, env=installation.env, capture_output=True, text=True, check=False
    )


def test_a_second_up_says_where_the_first_one_is(installed):
    second = manage(installed, "up")
    assert second.returncode == 1
    assert f"OTTO runs already: {installed.address}" in second.stderr


def test_a_command_uses_the_servers_of_up(installed):
    script = (
        "import django; django.setup()\n"
        "from django.contrib.auth.models import User\n"
        "from otto_web.servers.borrow import servers_for_command\n"
        "with servers_for_command('import_files') as found:\n"
        "    print(found.has_workers, User.objects.filter(username='admin').count())\n"
    )
    assert run_script(installed, script).split() == ["True", "1"]


def run_script(installation, script):
    env = installation.env | {"DJANGO_SETTINGS_MODULE": "otto_web.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.checklist(413)
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.chaos),
        pytest.param(signal.SIGHUP, marks=pytest.mark.chaos),
    ],
)
def test_a_signal_stops_everything_and_a_restart_keeps_the_data(tmp_path, number):
    if number != signal.SIGTERM:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a background job of a shell
    try:
        first = Installation(tmp_path / "a folder" / "var")
        first.launch()
    finally:
        if number != signal.SIGTERM:
            signal.signal(signal.SIGINT, before)
    first.wait_until_up()
    first.process.send_signal(number)
    began = time.monotonic()
    assert first.process.wait(75) == 0
    assert time.monotonic() - began < 75
    assert first.processes() == []
    assert not (first.folder / "run" / "services.json").exists()
    if number == signal.SIGTERM:
        with Installation(first.folder) as again:
            assert "first password" not in again.said


@pytest.mark.chaos
def test_after_a_kill_the_next_up_stops_what_was_left_behind(tmp_path):
    killed = Installation(tmp_path / "var")
    killed.launch()
    killed.wait_until_up()
    until(lambda: killed.find("-Q", "train"))
    orphans = killed.processes()
    supervisor = next(one for one in orphans if SUPERVISOR in words_of(one))
    supervisor.suspend()  # so that it cannot tidy up by itself
    killed.process.kill()
    killed.process.wait()
    with Installation(killed.folder) as again:
        assert "An earlier OTTO was killed" in again.said
        assert get(f"{again.address}/healthz")[0] == 200
        assert not set(orphans) & set(again.processes())


@pytest.mark.chaos
def test_a_killed_supervisor_ends_up_so_that_a_service_starts_it_again(tmp_path):
    first = Installation(tmp_path / "var")
    first.launch()
    first.wait_until_up()
    until(lambda: first.find("-Q", "train"))
    supervisor = first.find(SUPERVISOR)[0]
    supervisor.kill()
    assert first.process.wait(120) == 1
    assert "The supervisor has ended by itself" in first.said
    until(lambda: first.processes() == [])
    with Installation(first.folder) as again:
        assert get(f"{again.address}/healthz")[0] == 200


@pytest.mark.chaos
def test_a_supervisor_and_an_up_that_die_together_leave_nobody_behind(tmp_path):
    both = Installation(tmp_path / "var")
    both.launch()
    supervisor = until(lambda: both.find(SUPERVISOR))[0]
    supervisor.kill()  # in the middle of its first starts
    both.process.kill()
    both.process.wait()
    until(lambda: both.processes() == [])


def test_a_command_that_finds_nobody_brings_its_own_servers(tmp_path):
    alone = Installation(tmp_path / "var")
    alone.folder.mkdir()
    script = (
        "import django; django.setup()\n"
        "from django.contrib.auth.models import Group\n"
        "from otto_web.servers.borrow import servers_for_command\n"
        "with servers_for_command('freeze') as found:\n"
        "    print(found.has_workers, Group.objects.count())\n"
    )
    assert run_script(alone, script).split() == ["False", "4"]
    assert alone.processes() == []
