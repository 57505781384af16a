"""Asks a model the questions of a test, and measures its replies."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from datasets_app.corpus.conversation import USER, Turn
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.selectors.versions import iter_conversations
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.lm.answer_test import Answered, AnswerFigures, AnswerTest, Item, items_of
from training_app.lm.answerer import answerer
from training_app.lm.config import TrainingError
from training_app.lm.folder import open_model, verify_model
from training_app.lm.machine import bf16_pays
from training_app.lm.measures import Expected, Measures, from_json, means, measured
from training_app.lm.model import pick_device
from training_app.models import ModelTest, paths
from training_app.selectors.answer_tests import known_to, meaning

SECONDS = 1_800.0  # for all answers; chosen by hand


def run_model_test(test_id: UUID | str) -> bool:
    """Do a test that waits; a call too many does nothing."""
    return perform(ModelTest, test_id, _test, refusals=(TrainingError, KnowledgeError))


def _test(order: ModelTest, lease: Lease) -> None:
    model = order.model
    data: dict[str, Any] = model.run.spec.get("data", {}) if model.run else {}
    known = known_to(model.run.version, data) if model.run else None
    words = known.abstention if known else str(data.get("abstention", ""))
    expected = _expected(order)
    items = [Item((Turn(USER, one.question),), one.answer) for one in expected]
    if order.version is not None:
        items = items_of(iter_conversations(order.version.pk, order.split))
        expected = [Expected(item.question, item.reference) for item in items]
    test = AnswerTest(items, meaning(), words, SECONDS)
    folder = paths.absolute(model.path)
    verify_model(folder)
    network, template = open_model(folder)
    answer = answerer(
        network,
        template,
        grounds=known,
        system_prompt=model.system_prompt,
        longest=test.longest,
        bf16=bf16_pays(pick_device()),
    )
    figures, answered = test.run(answer, should_stop=partial(_still, lease))
    wanted = {id(item): one for item, one in zip(items, expected, strict=True)}
    found = [
        (one, wanted[id(one.item)], measured(one.reply, wanted[id(one.item)])) for one in answered
    ]
    judged = [one for one in answered if one.item.reference]  # others have no facts to compare
    counts = AnswerFigures.of(
        judged, unasked=figures.unasked, seconds=figures.seconds, trouble=figures.trouble
    )
    finish(
        order,
        means=means([values for _, _, values in found]) | {"asked": len(found)},
        figures=counts.as_json(),
        replies=[_row(*one) for one in found],
    )


def _expected(order: ModelTest) -> list[Expected]:
    return [from_json(one) for one in order.test_set.questions] if order.test_set else []


def _row(one: Answered, expected: Expected, found: Measures) -> dict[str, Any]:
    """Return what a page shows of a reply; without a real answer nothing is said of its facts."""
    outcome = one.judgement.outcome if expected.answer else ""
    return {
        "question": one.prompt,
        "reply": one.reply,
        "answer": expected.answer,
        "keywords": list(expected.keywords),
        "pattern": expected.pattern,
        "outcome": outcome,
        "measures": asdict(found),
    }


def _still(lease: Lease) -> bool:
    lease.touch()
    return lease.is_lost
