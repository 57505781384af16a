"""A deployed toy model, an engine that runs, and the socket of a browser tab."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from chat_app.jobs import serving_exports
from chat_app.jobs.engine import Engine
from chat_app.models import ServingExport
from chat_app.services import deployments
from otto_web.servers.processes import free_port
from tests.chat_app.serving.toys import taught
from tests.waiting import until
from training_app.models import TrainedModel
from training_app.models.paths import absolute


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """A tiny llama that knows four chats by heart, in Hugging Face layout."""
    return taught(tmp_path_factory.mktemp("toy"))


def add_model(data_dir, folder, name="toy"):
    """Put a folder into the data folder and return its row."""
    number = TrainedModel.objects.filter(name=name).count() + 1
    path = f"models/{name}-{number}"
    shutil.copytree(folder, data_dir / path, ignore=shutil.ignore_patterns("serving"))
    return TrainedModel.objects.create(
        name=name,
        number=number,
        family="llama",
        params=60_000,
        context=256,
        path=path,
        manifest_sha256="0" * 64,
    )


@pytest.fixture
def toy_model(transactional_db, data_dir, toy_folder):
    return add_model(data_dir, toy_folder)


@pytest.fixture(scope="session")
def build_of_toy():
    """Give a stand-in for `build`: checks the toy once, and gives every later row that result."""
    build, first = serving_exports.build, {}

    def build_once(export):
        serving = absolute(export.model.path) / "serving"
        if first:
            serving.mkdir()
            for name, body in first["files"].items():
                (serving / name).write_bytes(body)
        else:
            first["outcome"], difference = build(export)
            assert not difference
            first["files"] = {path.name: path.read_bytes() for path in serving.iterdir()}
        return {**first["outcome"], "path": export.model.path}, ""

    return build_once


@pytest.fixture
def deployment(toy_model, theo, redis_server, build_of_toy):
    """The toy model, checked and deployed as `support`."""
    found = deployments.deploy(toy_model, "support", by=theo)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving_exports, "build", build_of_toy)
        serving_exports.build_serving_export(ServingExport.objects.get().pk)
    found.refresh_from_db()
    assert found.export is not None, ServingExport.objects.get().message
    return found


@contextmanager
def running_engine():
    engine = Engine(models=2)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield engine
    finally:
        engine.close()
        thread.join(300)
        assert not thread.is_alive()


@pytest.fixture
def engine(deployment):
    """The engine's own loop in threads of this process."""
    with running_engine() as found:
        yield found


@contextmanager
def engine_process(env):
    """The engine as a process, to be killed."""
    command = [sys.executable, "manage.py", "run_engine"]
    process = subprocess.Popen(command, env=env)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(300)


# A browser -------------------------------------------------------------------------------------
class Web:
    """The web as a process of its own, which can be held back."""

    def __init__(self, env):
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        command = [sys.executable, "manage.py", "run_web", "--port", str(port)]
        self.process = subprocess.Popen(command, env=env)

    def __enter__(self):
        until(lambda: answers(f"{self.address}/healthz"))
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)

    @contextmanager
    def held(self):
        """Let the web answer nobody for as long as the block lasts."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def web(process_env, deployment):
    """A web process, with an engine beside it."""
    with Web(process_env) as found, engine_process(process_env):
        yield found


def hear(page, text):
    if "Content Security Policy" in text:
        page.complaints.append(text)


@pytest.fixture
def open_page(browser, web, client_of):
    contexts = []

    def opened(person, **options):
        context = browser.new_context(base_url=web.address, **options)
        contexts.append(context)
        cookie = client_of(person).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": web.address}])
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda fault: page.complaints.append(str(fault)))
        page.on("console", lambda said: hear(page, said.text))
        return page

    yield opened
    for context in contexts:
        context.close()
