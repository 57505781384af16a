"""Work whose process was stopped inside its transaction goes on elsewhere, whatever kind it is."""

from __future__ import annotations

import json
from uuid import uuid4

import psutil
import pytest
from django.db import connection

from chat_app.models import Generation, ServingExport
from chat_app.services import chats, deployments
from chat_app.services.chats import AnswerParams
from datasets_app.corpus.rules import policy
from datasets_app.models import Conversation, Rescoring, Upload, Version
from datasets_app.services import versions
from datasets_app.services.datasets import set_policy
from otto_web.lib.work.states import State
from otto_web.loop.models import Pipeline
from otto_web.loop.services.pipelines import PipelineOrder, start_pipeline
from tests.chat_app.serving.toys import CHATS
from tests.datasets_app.makers import support_dataset
from tests.training_app.conftest import SUPERVISE, make_version, toy_order
from tests.waiting import until
from training_app.models import Run
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
PATIENCE = 240
ROWS = 3_000
WORK = """
import sys, django
django.setup()
from otto_web.jobs import JOBS
from otto_web.lib.patience import WORKER, be_patient
be_patient(WORKER)
JOBS[sys.argv[1]].load()(sys.argv[2])
"""


def lines(count):
    rows = ({"input": f"Where is hat {n}?", "output": f"Hat {n} is here."} for n in range(count))
    return "\n".join(map(json.dumps, rows)).encode()


@pytest.fixture
def stop_at_work(start, failpoint_at):
    """Give a function that lets a worker of its own do a job until it stops at the place."""

    def stopped(place, job, pk):
        point = failpoint_at(place, "stop")
        start("-c", WORK, job, str(pk), env=point.env)
        process = psutil.Process(point.reached(PATIENCE))
        assert is_in_transaction()
        return process

    return stopped


def is_in_transaction():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            " AND (state LIKE 'idle in transaction%%' OR wait_event_type = 'Client')"
        )
        return cursor.fetchone()[0] > 0


@pytest.fixture
def others(start, worker):
    """Give a function that starts the reaper and a worker, and waits until they are done."""

    def finish(process, is_done):
        worker("short")
        start("manage.py", "run_reaper")
        until(is_done, PATIENCE)
        assert process.status() == psutil.STATUS_STOPPED

    return finish


def test_an_import_stopped_in_its_copy(upload, stop_at_work, others):
    found = upload("hats.jsonl", lines(ROWS))
    process = stop_at_work("imports.mid_copy", "datasets.import_upload", found.pk)
    others(process, Upload.objects.filter(pk=found.pk, state=State.SUCCEEDED).exists)
    assert Conversation.objects.count() == ROWS
    assert found.files.get().n_records == ROWS


def test_an_import_stopped_while_it_judges(upload, stop_at_work, others):
    found = upload("hats.jsonl", lines(ROWS))
    process = stop_at_work("imports.judging", "datasets.import_upload", found.pk)
    others(process, Upload.objects.filter(pk=found.pk, state=State.SUCCEEDED).exists)
    assert Conversation.objects.count() == ROWS


def test_a_version_stopped_while_it_is_dealt(cora, stop_at_work, others):
    version = versions.order_version(support_dataset(cora), user=cora)
    process = stop_at_work("freezing.splitting", "datasets.freeze_version", version.pk)
    others(process, Version.objects.filter(pk=version.pk, state=State.SUCCEEDED).exists)
    version.refresh_from_db()
    assert version.rows.count() == version.counts["rows"]


def test_a_rescoring_stopped_while_it_judges(cora, stop_at_work, others):
    dataset = support_dataset(cora)
    set_policy(dataset, policy.standard(), by=cora)
    process = stop_at_work("rescoring.judging", "datasets.rescore_dataset", dataset.pk)
    others(process, Rescoring.objects.filter(state=State.SUCCEEDED).exists)


def test_an_export_stopped_at_its_end(toy_model, theo, stop_at_work, others):
    found = deployments.deploy(toy_model, "support", by=theo)
    export = ServingExport.objects.get()
    process = stop_at_work("exports.finishing", "chat.build_serving_export", export.pk)
    others(process, ServingExport.objects.filter(state=State.SUCCEEDED).exists)
    found.refresh_from_db()
    assert found.export == ServingExport.objects.get()


def test_a_pipeline_stopped_in_its_first_step(theo, tmp_path, stop_at_work, others):
    file = tmp_path / "hats.jsonl"
    file.write_bytes(lines(200))
    pipeline = start_pipeline(PipelineOrder(files=(file,), preset="tiny", steps=10), by=theo)
    process = stop_at_work("imports.mid_copy", "loop.advance_pipeline", pipeline.pk)
    others(process, Pipeline.objects.filter(version__state=State.SUCCEEDED).exists)
    pipeline.refresh_from_db()
    assert pipeline.version.counts["rows"] > 1


def test_a_run_whose_host_stands_still(start, worker, failpoint_at, process_env):
    run = queue_run(toy_order(make_version(), steps=60, checkpoint_every=10), created_by=None)
    point = failpoint_at("trainer.in_transaction", "stop@3")
    supervisor = start("-c", SUPERVISE, env=point.env)
    trainer = psutil.Process(point.reached(PATIENCE))
    assert is_in_transaction()
    psutil.Process(supervisor.pid).suspend()
    worker("train")
    start("manage.py", "run_reaper")
    until(Run.objects.filter(pk=run.pk, state=State.SUCCEEDED).exists, PATIENCE)
    assert trainer.status() == psutil.STATUS_STOPPED
    run.refresh_from_db()
    assert run.attempts == 2
    assert run.points.filter(fence=run.fence).exists()
    trainer.kill()


def test_an_answer_whose_engine_stands_still(start, deployment, failpoint_at, mia):
    greedy, (question, answer) = AnswerParams(temperature=0.0), CHATS[0]
    first = ask(deployment, mia, question, greedy)
    point = failpoint_at("generations.finishing", "stop")
    start("manage.py", "run_engine", env=point.env)
    process = psutil.Process(point.reached(PATIENCE))
    assert is_in_transaction()
    start("manage.py", "run_reaper")
    start("manage.py", "run_engine")
    second = ask(deployment, mia, question, greedy)
    until(Generation.objects.filter(pk=second.generation.pk, state="succeeded").exists, PATIENCE)
    until(Generation.objects.filter(pk=first.generation.pk, state="interrupted").exists, PATIENCE)
    assert process.status() == psutil.STATUS_STOPPED
    second.answer.refresh_from_db()
    assert second.answer.text == answer
    assert first.generation.answer.chat != second.generation.answer.chat


def ask(found, person, question, params):
    return chats.ask(chats.open_chat(found, owner=person), question, params, idem=uuid4())
