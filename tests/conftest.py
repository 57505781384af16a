"""Real servers, a cast of persons and a browser for every test; nothing starts unless asked for."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import signal
from pathlib import Path

import pytest
import redis
from django.conf import settings as live_settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import TransactionTestCase
from playwright.sync_api import sync_playwright
from servestatic.middleware import ServeStaticMiddleware

from otto_web.lib import delays, failpoints, live
from otto_web.lib.access import Role
from otto_web.servers import processes, valkey, wiring
from otto_web.services_file import database_from_url
from tests import databases, looking, real_size
from tests.failpoints import Failpoint
from tests.machine_numbers import ReadingClient

FIRST_ID = 1_234_567
PASSWORD = "a-password-for-tests"  # noqa: S105
CHROMIUM_SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Chaos is slow too: `-m "not slow"` takes the place of the default that leaves chaos out."""
    for item in items:
        if item.get_closest_marker("chaos"):
            item.add_marker("slow")


def pytest_collection():
    """Do not look for circles among what is only being read: modules, torch, the tests."""
    gc.disable()


def pytest_collection_finish():
    """Pass over all that when a test leaves circles behind."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory, request):
    """One throw-away PostgreSQL for the whole suite, made on first need."""
    folder = tmp_path_factory.mktemp("postgres")
    cache = getattr(request.config, "cache", None)  # pytest may be told to keep none
    kept_in = cache.mkdir("otto-cluster") if cache else tmp_path_factory.mktemp("cluster")
    databases.put_cluster(folder, kept_in=kept_in)
    with databases.running(folder) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server):
    """Point Django at the suite's own PostgreSQL."""
    ours = database_from_url(postgres_server.url())
    del ours["OPTIONS"]
    live_settings.DATABASES["default"].update(ours | {"CONN_MAX_AGE": 0})


@pytest.fixture(scope="session")
def django_db_keepdb():
    """Leave the database for the cluster's end: no wait for a connection that some thread holds."""
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Number rows from a million on, as tables do that are in use: small ids hide mistakes."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, "
            "greatest(coalesce(last_value, 0), %s)) FROM pg_sequences",
            [FIRST_ID],
        )
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", databases.empty_tables)
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """One throw-away Redis; broker, channel layer and streams point at it. Gives its address."""
    folder = tmp_path_factory.mktemp("valkey")
    server = valkey.Valkey(folder, processes.free_port(), secrets.token_urlsafe(18))
    log = folder / "valkey.log"
    process = processes.start(server.command(), log=log)
    try:
        valkey.wait_until_ready(server, seconds=120, log=log)
        wiring.use_redis(server.url)
        yield server.url
    finally:
        processes.stop(process, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _empty_redis(request, monkeypatch):
    """Give each test that uses Redis an empty one, and hints and notifications that work."""
    monkeypatch.setattr(live, "_quiet_until", 0.0)
    monkeypatch.setattr(delays, "_failed_at", float("-inf"))
    if "redis_server" in request.fixturenames:
        with redis.Redis.from_url(request.getfixturevalue("redis_server")) as client:
            client.flushall()


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once():
    """Look through the static folders once, not for every client that a test makes."""
    look, found = ServeStaticMiddleware.add_files_from_finders, {}

    def look_once(middleware):
        if not found:
            look(middleware)
            found.update(files=dict(middleware.files), directories=list(middleware.directories))
        middleware.files.update(found["files"])
        middleware.directories = list(found["directories"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServeStaticMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture
def data_dir(tmp_path, settings):
    """Give the test a data folder of its own."""
    settings.OTTO_DATA_DIR = tmp_path / "data"
    settings.OTTO_DATA_DIR.mkdir()
    return settings.OTTO_DATA_DIR


@pytest.fixture
def process_env(postgres_server, redis_server, data_dir, transactional_db):
    """Give the environment in which a process started by a test sees the test's own rows."""
    name = live_settings.DATABASES["default"]["NAME"]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "otto_web.settings_test",
        "DATABASE_URL": postgres_server.url(name),
        "REDIS_URL": redis_server,
        "OTTO_VAR_DIR": str(live_settings.OTTO_VAR_DIR),
        "OTTO_DATA_DIR": str(data_dir),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def failpoint_at(tmp_path):
    """Give a function that arms a place of the code: see `otto_web.lib.failpoints.arm`.

    Give its `env` to the process that shall meet it, or call `arm_here`. Several places may be
    armed at once; a name that comes again begins a new set.
    """
    points, orders = [], []

    def made(name, action):
        nonlocal orders
        if not orders or any(order.startswith(f"{name}:") for order in orders):
            orders = []
            (tmp_path / f"failpoints-{len(points)}").mkdir()
        folder = points[-1].folder if orders else tmp_path / f"failpoints-{len(points)}"
        orders.append(f"{name}:{action}")
        points.append(Failpoint(folder, name, orders[-1], orders))
        return points[-1]

    yield made
    failpoints.arm("", tmp_path)
    for point in points:
        point.release_all()


# Personas ----------------------------------------------------------------------------------------
def make_person(name, role, *, is_active=True):
    user = User.objects.create_user(name, password=PASSWORD, is_active=is_active)
    user.groups.add(Group.objects.get_or_create(name=role.group)[0])
    return user


@pytest.fixture
def ada(db):
    """An admin."""
    return make_person("ada", Role.ADMIN)


@pytest.fixture
def theo(db):
    """A trainer."""
    return make_person("theo", Role.TRAINER)


@pytest.fixture
def cora(db):
    """A curator."""
    return make_person("cora", Role.CURATOR)


@pytest.fixture
def mia(db):
    """A member, who owns things."""
    return make_person("mia", Role.MEMBER)


@pytest.fixture
def milo(db):
    """Another member."""
    return make_person("milo", Role.MEMBER)


@pytest.fixture
def gus(db):
    """A member who was signed out for good."""
    return make_person("gus", Role.MEMBER, is_active=False)


@pytest.fixture
def client_of():
    """Give a function that returns a signed-in test client of a person."""

    def signed_in(user):
        client = ReadingClient()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


# Rows as many as in use ---------------------------------------------------------------------------
@pytest.fixture(scope="session")
def _kept_world():
    """What `real_world` was when it was made; filled by its first use."""
    return []


@pytest.fixture
def real_world(db, _kept_world):
    """Thousands of rows with ids above a million: a dataset, a version, a deployment's log."""
    if _kept_world:
        return _kept_world[0].restore()
    _kept_world.append(real_size.build())
    return _kept_world[0].world()


# Browser -----------------------------------------------------------------------------------------
_browsers = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show with a failure what stood on the pages that were open, while they are."""
    report = yield
    if report.when == "call" and report.failed:
        pages = [page for one in _browsers for context in one.contexts for page in context.pages]
        report.sections.extend((f"page {page.url}", looking.told(page)) for page in pages)
    return report


def chromium_path():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    sentence = "No Chromium was found: install the system package `chromium` to run this test."
    return pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)


@pytest.fixture(scope="module")
def browser():
    """One headless Chromium per test module.

    Playwright's event loop lives in the test's thread, so Django's check for it is silenced here.
    """
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    try:
        with sync_playwright() as play:
            chromium = play.chromium.launch(
                executable_path=chromium_path(), headless=True, args=[*CHROMIUM_SWITCHES, *root]
            )
            _browsers.append(chromium)
            yield chromium
            _browsers.remove(chromium)
            chromium.close()
    finally:
        patch.undo()
