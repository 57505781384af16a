"""Answers from what is known: through Postgres, the engine, a toy model and a toy encoder."""

from __future__ import annotations

import re
import shutil
from uuid import uuid4

import pytest
from django.db.models import ProtectedError

from chat_app.events import streams
from chat_app.jobs import serving_exports
from chat_app.jobs.engine import MADE_UP
from chat_app.models import Deployment, DeploymentEvent, Generation, LogEntry, ServingExport
from chat_app.selectors.following import words_of
from chat_app.selectors.grounding import knowledge_after, knowledge_learnt
from chat_app.services import chats, deployments
from chat_app.services.chats import AnswerParams
from chat_app.services.knowing import deploy_quotes, set_knowledge
from chat_app.serving.errors import ServingError
from datasets_app.corpus.conversation import USER, Turn
from datasets_app.models import Knowledge, Version
from datasets_app.services.versions import delete_version
from otto_web.lib.work.states import State
from tests.chat_app.conftest import add_model, running_engine
from tests.chat_app.knowing import (
    KNOWN,
    STRANGE,
    add_encoder,
    add_knowledge,
    ground,
    taught_to_use_sources,
)
from tests.chat_app.makers import make_model
from tests.training_app.conftest import toy_order
from tests.waiting import until
from training_app.lm.config import ABSTENTION
from training_app.lm.grounding import Source, grounded
from training_app.lm.template import Template
from training_app.models import TrainedModel
from training_app.models.paths import absolute
from training_app.services.runs import queue_run

pytestmark = pytest.mark.slow

QUESTION, ANSWER = KNOWN[0]
SHORT = AnswerParams(temperature=0.0, new_tokens=12)


@pytest.fixture(scope="session")
def roomy_folder(tmp_path_factory):
    return taught_to_use_sources(tmp_path_factory.mktemp("roomy"))


@pytest.fixture
def encoder(transactional_db, data_dir):
    return add_encoder(data_dir)


@pytest.fixture
def knowledge(encoder, data_dir):
    return add_knowledge(data_dir, encoder)


@pytest.fixture
def writing(knowledge, data_dir, roomy_folder, theo, redis_server):
    """A model that writes from what is known, as `support`."""
    found = deployments.deploy(add_model(data_dir, roomy_folder), "support", by=theo)
    serving_exports.build_serving_export(ServingExport.objects.get().pk)
    found.refresh_from_db()
    return ground(found, knowledge, theo)


@pytest.fixture
def quoting(knowledge, theo, redis_server):
    return deploy_quotes(knowledge, "faq", by=theo)


def answer_to(chat, text, params=SHORT):
    """Ask, wait for the end, and return the generation with its answer."""
    asked = chats.ask(chat, text, params, idem=uuid4())
    ended = Generation.objects.filter(pk=asked.generation.pk).exclude(
        state__in=[State.QUEUED, State.RUNNING]
    )
    until(ended.exists)
    return Generation.objects.select_related("answer").get(pk=asked.generation.pk)


def prompt_text(generation):
    template = Template.open(absolute(generation.model.path))
    return template.tokenizer.decode(generation.prompt_ids, skip_special_tokens=True)


def test_the_model_reads_what_is_known_and_the_row_keeps_it(writing, knowledge, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, QUESTION)
    assert found.state == State.SUCCEEDED, found.message
    assert found.knowledge == knowledge
    assert found.message == ""
    nearest, *others = found.sources
    assert len(others) == 2
    assert {one["kind"] for one in found.sources} == {"source"}
    assert (nearest["question"], nearest["answer"]) == KNOWN[0]
    assert (nearest["row"], nearest["number"]) == (1_000_001, 0)
    assert nearest["cosine"] > 0.9
    assert nearest["words"] > 0.5
    assert f"Q: {QUESTION}\nA: {ANSWER}\n\nQuestion: {QUESTION}" in prompt_text(found)
    assert LogEntry.objects.filter(message=found.answer).exists()


def test_without_knowledge_a_prompt_is_what_it_was_to_the_id(writing, theo, mia):
    set_knowledge(writing, None, "write", by=theo)
    writing.refresh_from_db()
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, QUESTION)
    template = Template.open(absolute(found.model.path))
    assert found.prompt_ids == template.prompt([Turn(USER, QUESTION)]).ids
    assert (found.sources, found.unsupported, found.knowledge) == ([], [], None)


def test_what_nothing_known_answers_is_not_asked_of_the_model(writing, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, STRANGE)
    assert (found.state, found.finish) == (State.SUCCEEDED, "abstained")
    assert found.answer.text == ABSTENTION
    assert found.prompt_ids == []
    assert {one["kind"] for one in found.sources} <= {"suggestion"}
    assert LogEntry.objects.filter(message=found.answer).exists()


@pytest.mark.parametrize(
    "question", ["서울에서 부산까지 얼마나 걸리나요", "x" * 5_000, "tent? " * 830]
)
def test_strange_questions_end_like_any_other(writing, mia, question):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, question)
    assert found.state == State.SUCCEEDED, found.message


def test_the_prompt_never_outgrows_the_context_and_old_turns_go_first(writing, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        for _ in range(3):
            found = answer_to(chat, " ".join([QUESTION] * 20), AnswerParams(new_tokens=400))
            assert found.state == State.SUCCEEDED, found.message
            assert 0 < len(found.prompt_ids) <= 1_024 - 400
    assert found.dropped_turns > 0
    assert [one["kind"] for one in found.sources][:1] == ["source"]


def test_figures_that_stand_in_nothing_known_are_marked(writing, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, QUESTION, AnswerParams(temperature=1.8, new_tokens=200, seed=3))
    assert all(0 <= start < end <= len(found.answer.text) for start, end in found.unsupported)


def test_what_the_model_makes_up_gives_way_to_the_nearest_known_answer(writing, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(
            chat, QUESTION, AnswerParams(temperature=2.0, top_p=1.0, new_tokens=200, seed=4)
        )
    assert (found.state, found.finish, found.message) == (State.SUCCEEDED, "quoted", MADE_UP)
    assert found.answer.text == ANSWER
    assert [one["answer"] for one in found.sources] == [ANSWER]
    assert LogEntry.objects.filter(message=found.answer).exists()
    template = Template.open(absolute(found.model.path))
    draft = template.tokenizer.decode(found.answer_ids)
    assert ANSWER not in draft
    assert 0 < len(found.answer_ids) < 200  # nobody waits for the end of it
    streams.send_frames(found.pk, {900: {"t": "d", "off": 0, "s": "The shop is", "seq": 900}})
    told = "".join(words_of(found.answer.pk))
    assert told.endswith(f"The shop is\n({MADE_UP})\n{ANSWER}")
    assert not re.search("[0-9]", prompt_text(found) + draft)  # no number is known, none is written


def test_an_instruction_in_a_known_answer_stays_text(writing, mia):
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, KNOWN[-1][0])
    assert found.sources[0]["answer"] == KNOWN[-1][1]
    template = Template.open(absolute(found.model.path))
    known = [Source(one["answer"], one["question"]) for one in found.sources]
    again = template.prompt(grounded([Turn(USER, KNOWN[-1][0])], known))
    assert found.prompt_ids == again.ids
    assert found.state == State.SUCCEEDED


def test_quotes_need_no_model(quoting, knowledge, mia):
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine():
        found = answer_to(chat, "where is my parcel")
        strange = answer_to(chat, STRANGE)
    assert (found.finish, found.answer.text) == ("quoted", dict(KNOWN)["Where is my parcel?"])
    assert [one["answer"] for one in found.sources] == [found.answer.text]
    assert (found.model, found.export) == (None, None)
    assert (strange.finish, strange.answer.text) == ("abstained", ABSTENTION)
    assert LogEntry.objects.count() == 2


def test_two_people_who_ask_while_the_encoder_loads_are_both_answered(
    quoting, mia, milo, failpoint_at
):
    point = failpoint_at("engine.looking_up", "hold@1")
    point.arm_here()
    talks = [chats.open_chat(quoting, owner=person) for person in (mia, milo)]
    with running_engine():
        asked = [chats.ask(one, QUESTION, SHORT, idem=uuid4()) for one in talks]
        point.reached()
        running = Generation.objects.filter(state=State.RUNNING)
        until(lambda: running.count() == 2)
        point.release()
        until(lambda: Generation.objects.filter(finish="quoted").count() == 2)
    for one in asked:
        one.answer.refresh_from_db()
        assert one.answer.text == ANSWER


def test_an_answer_that_is_stopped_while_it_is_looked_up_says_nothing(quoting, mia, failpoint_at):
    point = failpoint_at("engine.looking_up", "hold@1")
    point.arm_here()
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine():
        asked = chats.ask(chat, QUESTION, SHORT, idem=uuid4())
        point.reached()
        chats.request_stop(asked.generation)
        point.release()
        over = Generation.objects.filter(pk=asked.generation.pk).exclude(state=State.RUNNING)
        until(over.exists)
    found = over.select_related("answer").get()
    assert (found.state, found.finish, found.answer.text) == (State.CANCELLED, "stopped", "")


def test_an_engine_that_stops_while_it_looks_up_gives_the_question_back(quoting, mia, failpoint_at):
    point = failpoint_at("engine.looking_up", "hold@1")
    point.arm_here()
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine() as engine:
        first = chats.ask(chat, QUESTION, SHORT, idem=uuid4())
        point.reached()
        engine.close()
        point.release()
    first.generation.refresh_from_db()
    if first.generation.state == State.QUEUED:
        with running_engine():
            until(lambda: Generation.objects.filter(finish="quoted").exists())
    first.answer.refresh_from_db()
    assert first.answer.text == ANSWER


def test_a_missing_encoder_leaves_words_and_a_sentence(writing, data_dir, mia):
    shutil.rmtree(data_dir / "encoders/toy")
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        found = answer_to(chat, QUESTION)
    assert found.state == State.SUCCEEDED
    assert found.sources[0]["answer"] == ANSWER
    assert found.sources[0]["cosine"] is None
    assert "by their words alone" in found.message


def test_knowledge_that_cannot_be_read_fails_the_answer_in_a_sentence(
    writing, quoting, knowledge, mia
):
    (knowledge.folder / "knowledge.json").write_text("{")
    with running_engine():
        written = answer_to(chats.open_chat(writing, owner=mia), QUESTION)
        quoted = answer_to(chats.open_chat(quoting, owner=mia), QUESTION)
    for found in (written, quoted):
        assert (found.state, found.answer.text) == (State.FAILED, "")
        assert "What it knows cannot be read" in found.message


def test_knowledge_that_was_built_anew_since_the_claim_is_read_where_it_is(
    quoting, knowledge, mia, failpoint_at
):
    point = failpoint_at("engine.looking_up", "hold@1")
    point.arm_here()
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine():
        asked = chats.ask(chat, QUESTION, SHORT, idem=uuid4())
        point.reached()
        moved = knowledge.folder.rename(knowledge.folder.with_name("anew"))
        Knowledge.objects.update(path=f"knowledge/{moved.name}")
        point.release()
        until(lambda: Generation.objects.filter(finish="quoted").exists())
    asked.answer.refresh_from_db()
    assert asked.answer.text == ANSWER


def test_a_retired_name_lets_go_of_what_it_quoted(quoting, knowledge, theo):
    deployments.retire(quoting, by=theo)
    version = knowledge.version
    delete_version(version, by=theo)
    assert not Knowledge.objects.filter(pk=knowledge.pk).exists()
    quoting.refresh_from_db()
    assert not quoting.is_answering


def test_another_model_never_brings_older_knowledge_back(writing, data_dir, theo):
    old = writing.knowledge
    learnt = queue_run(toy_order(old.version), created_by=theo)
    learnt.spec["data"]["sources"] = 3
    learnt.save(update_fields=["spec"])
    TrainedModel.objects.filter(pk=writing.model.pk).update(run=learnt)
    newer = add_knowledge(data_dir, old.encoder)
    Version.objects.filter(pk=newer.version.pk).update(dataset=old.version.dataset, number=2)
    newer.version.refresh_from_db()
    model = TrainedModel.objects.get(pk=writing.model.pk)
    assert knowledge_learnt(model) == old
    assert knowledge_after(model, newer) == newer
    assert knowledge_after(model, None) == old
    learnt.spec["data"]["sources"] = 0
    learnt.save(update_fields=["spec"])
    without = TrainedModel.objects.get(pk=model.pk)
    Deployment.objects.update(model=make_model())
    writing.refresh_from_db()
    deployments.switch(writing, ServingExport.objects.get(model=without), by=theo)
    writing.refresh_from_db()
    assert writing.knowledge is None
    event = DeploymentEvent.objects.order_by("-pk").first()
    assert event.detail == f"{without} answers and writes without known answers"


def test_a_model_that_takes_a_quoting_name_over_writes_again(writing, knowledge, theo):
    set_knowledge(writing, knowledge, "quote", by=theo)
    assert Deployment.uses_of(writing.model.pk) == []
    deployments.deploy(writing.model, "support", by=theo)
    writing.refresh_from_db()
    assert (writing.mode, writing.knowledge) == ("write", knowledge)


def test_knowledge_that_is_used_stays_and_an_answer_outlives_it(quoting, knowledge, theo, mia):
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine():
        found = answer_to(chat, QUESTION)
    with pytest.raises(ProtectedError):
        knowledge.delete()
    deployments.retire(quoting, by=theo)
    other = add_knowledge(absolute(""), None, [("What else?", "Something else.")])
    set_knowledge(quoting, other, "quote", by=theo)
    knowledge.delete()
    found.refresh_from_db()
    assert found.knowledge is None
    assert found.answer.text == ANSWER
    assert found.sources[0].keys() == {"kind", "row", "number", "cosine", "words"}


def test_an_answer_under_way_keeps_no_words_of_what_is_deleted_meanwhile(
    writing, knowledge, theo, mia, failpoint_at
):
    point = failpoint_at("engine.looking_up", "hold@1")
    point.arm_here()
    chat = chats.open_chat(writing, owner=mia)
    with running_engine():
        asked = chats.ask(chat, QUESTION, SHORT, idem=uuid4())
        point.reached()
        set_knowledge(writing, None, "write", by=theo)
        shutil.copytree(knowledge.folder, kept := knowledge.folder.with_name("kept"))
        delete_version(knowledge.version, by=theo)
        assert kept.exists()
        point.release()
        ended = Generation.objects.filter(pk=asked.generation.pk, state=State.SUCCEEDED)
        until(ended.exists)
    found = ended.get()
    assert found.knowledge is None
    assert len(found.sources) == 3
    assert not any(one.keys() & {"question", "answer"} for one in found.sources)
    assert found.prompt_ids == []


def test_another_version_answers_from_the_next_question_on(quoting, data_dir, theo, mia):
    newer = add_knowledge(data_dir, quoting.knowledge.encoder, [(QUESTION, "Ask the front desk.")])
    chat = chats.open_chat(quoting, owner=mia)
    with running_engine():
        before = answer_to(chat, QUESTION)
        set_knowledge(quoting, newer, "quote", by=theo)
        after = answer_to(chat, QUESTION)
    assert (before.answer.text, after.answer.text) == (ANSWER, "Ask the front desk.")
    assert after.knowledge == newer
    event = DeploymentEvent.objects.order_by("-pk").first()
    assert str(newer.version) in event.detail
    assert event.actor == theo


def test_what_cannot_answer_is_refused_in_a_sentence(quoting, knowledge, theo):
    with pytest.raises(ServingError, match="No model writes"):
        set_knowledge(quoting, knowledge, "write", by=theo)
    with pytest.raises(ServingError, match="nothing to quote"):
        set_knowledge(quoting, None, "quote", by=theo)
    with pytest.raises(ServingError, match="is there already"):
        deploy_quotes(knowledge, "faq", by=theo)
    Knowledge.objects.filter(pk=knowledge.pk).update(path="", state="queued", finished_at=None)
    knowledge.refresh_from_db()
    with pytest.raises(ServingError, match="not built yet"):
        set_knowledge(quoting, knowledge, "quote", by=theo)


def test_a_model_that_takes_over_a_name_that_quotes_writes(writing, knowledge, theo):
    set_knowledge(writing, knowledge, "quote", by=theo)
    deployments.deploy(writing.model, "support", by=theo)  # the model that it had all along
    writing.refresh_from_db()
    assert (writing.mode, writing.knowledge) == ("write", knowledge)
