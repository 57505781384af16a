"""What people do while things are killed, as processes of an installation: run as a module.

`prepare` makes what they need, `act` uploads and asks until its input ends, `judge` says what has
become of everything; `order` and `tell` are of one run. Each prints JSON, `act` a line for each
thing that OTTO has accepted.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import django

django.setup()

from django.apps import apps  # noqa: E402 - needs the settings
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402

from chat_app.models import Deployment, Generation, Message  # noqa: E402
from chat_app.services import chats, deployments  # noqa: E402
from chat_app.services.chats import AnswerParams  # noqa: E402
from chat_app.serving.errors import ServingError  # noqa: E402
from datasets_app.models import Blob, Conversation, Upload  # noqa: E402
from datasets_app.models.blob import blob_path  # noqa: E402
from otto_web.lib.files import sha256_of  # noqa: E402
from otto_web.lib.models import ApiToken  # noqa: E402
from otto_web.lib.patience import DATABASE_AWAY  # noqa: E402
from otto_web.lib.tokens import hash_token  # noqa: E402
from otto_web.lib.work.rows import Fenced  # noqa: E402
from otto_web.lib.work.states import OPEN, State  # noqa: E402
from training_app.models import (  # noqa: E402
    Run,
    RunPoint,
    paths,
)
from training_app.services.runs import queue_run  # noqa: E402

TOKEN, DATASET = "otto_of_the_chaos", "chaos"
ROWS, QUESTION = 40, "Where is my parcel?"
RUN = {"steps": 2500, "checkpoint_every": 25, "eval_every": 500, "keep_last": 2}
PAUSE_SECONDS = 0.3
AWAY = 75


def prepare():
    """Deploy a toy, train the twin that nothing disturbs, queue the run that must equal it."""
    from tests.chat_app.conftest import add_model  # noqa: PLC0415 - only here torch is needed
    from tests.chat_app.serving.toys import taught  # noqa: PLC0415
    from tests.training_app.conftest import make_version, toy_order  # noqa: PLC0415

    admin = User.objects.get(username="admin")
    ApiToken.objects.create(
        user=admin, name="c", prefix="otto_of", sha256=hash_token(TOKEN), scopes=["uploads"]
    )
    with tempfile.TemporaryDirectory() as folder:
        model = add_model(settings.OTTO_DATA_DIR, taught(Path(folder)))
    deployments.deploy(model, "support", by=admin)
    version = make_version()
    twin = queue_run(toy_order(version, **RUN), created_by=admin)
    wait_for(lambda: Deployment.objects.get().export_id)
    wait_for(lambda: Run.objects.get(pk=twin.pk).is_over)
    run = queue_run(toy_order(version, **RUN), created_by=admin)
    say(twin=str(twin.pk), run=str(run.pk), rows=ROWS)


def order(steps):
    """Queue a run of so many steps."""
    from tests.training_app.conftest import make_version, toy_order  # noqa: PLC0415

    spec = RUN | {"steps": int(steps)}
    say(run=str(queue_run(toy_order(make_version(), **spec), created_by=None).pk))


def tell(run_id):
    """Say how a run stands."""
    run = Run.objects.get(pk=run_id)
    say(state=run.state, message=run.message, attempts=run.attempts, step=run.last_step)


def wait_for(condition):
    while not condition():
        time.sleep(PAUSE_SECONDS)


def say(**words):
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


# While things are killed -------------------------------------------------------------------------
def act(address):
    over = threading.Event()
    actors = [
        threading.Thread(target=repeat, args=(over, ask)),
        threading.Thread(target=repeat, args=(over, lambda: upload(address))),
    ]
    for actor in actors:
        actor.start()
    sys.stdin.read()
    over.set()
    for actor in actors:
        actor.join()


def repeat(over, do: Callable[[], None]):
    while not over.is_set():
        do()
        time.sleep(PAUSE_SECONDS)


def until_done(do, *patient):
    """Do it again, the same, until nothing stands in its way."""
    while True:
        try:
            return do()
        except patient:
            connection.close()
            time.sleep(PAUSE_SECONDS)


def ask():
    idem, greedy = uuid4(), AnswerParams(temperature=0.0)

    def opened():
        admin, served = User.objects.get(username="admin"), Deployment.objects.get()
        return chats.open_chat(served, owner=admin)

    chat = until_done(opened, *DATABASE_AWAY)
    away = (ServingError, *DATABASE_AWAY)
    found = until_done(lambda: chats.ask(chat, QUESTION, greedy, idem=idem), *away)
    say(generation=str(found.generation.pk))


def upload(address):
    name = f"{uuid4().hex}.jsonl"
    rows = ({"input": f"Where is {name} {n}?", "output": f"Here is {n}."} for n in range(ROWS))
    body = "\n".join(map(json.dumps, rows)).encode()
    told = {"filename": name, "dataset": DATASET, "idem": name}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in told.items())
    headers = {"Upload-Length": str(len(body)), "Upload-Metadata": metadata}
    away = (OSError, urllib.error.HTTPError, urllib.error.URLError)

    def send(method, place, more, body=None):
        said = {"Authorization": f"Bearer {TOKEN}", "Tus-Resumable": "1.0.0", **more}
        request = urllib.request.Request(  # noqa: S310
            address + place, data=body, headers=said, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.headers

    place = until_done(lambda: send("POST", "/uploads/tus/", headers), *away)["Location"]

    def rest():
        at = int(send("HEAD", place, {})["Upload-Offset"])
        more = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
        if at < len(body):
            send("PATCH", place, more, body[at:])

    until_done(rest, *away)
    say(upload=place.rstrip("/").rpartition("/")[2])


# Afterwards --------------------------------------------------------------------------------------
def judge(run_id, twin_id):
    run, twin = Run.objects.get(pk=run_id), Run.objects.get(pk=twin_id)
    steps = RunPoint.objects.filter(run=run, name="train/loss").values_list("step", flat=True)
    say(
        open=[str(row) for kind in kinds() for row in kind.objects.filter(state__in=OPEN)],
        uploads={
            str(row.pk): [row.state, sum(file.n_records for file in row.files.all())]
            for row in Upload.objects.prefetch_related("files")
        },
        conversations=Conversation.objects.filter(dataset__name=DATASET).count(),
        answers={
            str(row.pk): [row.state, bool(row.answer.text), bool(row.message)]
            for row in Generation.objects.select_related("answer")
        },
        questions=Message.objects.filter(role="user").count(),
        lost=[str(blob) for blob in Blob.objects.all() if not blob_path(str(blob.pk)).exists()],
        run=[run.state, run.message, run.attempts],
        ends=run.events.filter(to_state__in=["succeeded", "failed", "cancelled"]).count(),
        steps=[len(steps), len(set(steps)), max(steps, default=0)],
        same=run.state == State.SUCCEEDED and weights(run) == weights(twin),
    )


def kinds():
    return [kind for kind in apps.get_models() if issubclass(kind, Fenced)]


def weights(run):
    return sha256_of(paths.absolute(run.model.path) / "model.safetensors")


if __name__ == "__main__":
    PARTS = {"prepare": prepare, "act": act, "judge": judge, "order": order, "tell": tell}
    try:
        PARTS[sys.argv[1]](*sys.argv[2:])
    except DATABASE_AWAY:
        sys.exit(AWAY)
