"""Asks one way of answering what a version's conversations kept back."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db.models.functions import Now

from datasets_app.knowledge.errors import KnowledgeError
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.lm.answer_test import Answer, asked_hash
from training_app.lm.answerer import answerer
from training_app.lm.config import TrainingError
from training_app.lm.contract import Grounds
from training_app.lm.folder import open_model, verify_model
from training_app.lm.machine import bf16_pays
from training_app.lm.model import pick_device
from training_app.lm.quoting import quoter_from
from training_app.models import AnswerCheck, paths
from training_app.selectors.answer_tests import answer_test_of, grounds_of

SPLIT = "validation"
SECONDS = 1_800.0  # for all answers of one way; chosen by hand


def check_answers(check_id: UUID | str) -> bool:
    """Do a check that waits; a call too many does nothing."""
    return perform(AnswerCheck, check_id, _check, refusals=(TrainingError, KnowledgeError))


def _check(check: AnswerCheck, lease: Lease) -> None:
    data = check.model.run.spec.get("data", {}) if check.model and check.model.run else {}
    known = grounds_of(check.version, data) if check.with_knowledge else None
    if check.with_knowledge and known is None:
        raise TrainingError("The knowledge of this version is not built yet. Build it first.")
    words = known.abstention if known else str(data.get("abstention", ""))
    test = answer_test_of(check.version, SPLIT, seconds=SECONDS, abstention=words)
    if not test.items:
        raise TrainingError("This version kept back no question for validation.")
    answer = _answer(check, known, test.longest)
    figures, answered = test.run(answer, should_stop=partial(_still, lease))
    finish(
        check,
        figures=figures.as_json(),
        questions=asked_hash((one.item.kind, one.prompt) for one in answered),
        replies=[
            {
                "kind": one.item.kind,
                "prompt": one.prompt,
                "reply": one.reply,
                "reference": one.item.reference,
                "outcome": one.judgement.outcome,
            }
            for one in answered
        ],
        measured_at=Now(),
    )


def _still(lease: Lease) -> bool:
    lease.touch()
    return lease.is_lost


def _answer(check: AnswerCheck, known: Grounds | None, longest: str) -> Answer:
    model = check.model
    if model is None:
        assert known is not None  # noqa: S101 a constraint of the row
        return quoter_from(known)
    folder = paths.absolute(model.path)
    verify_model(folder)
    network, template = open_model(folder)
    return answerer(
        network,
        template,
        grounds=known,
        system_prompt=model.system_prompt,
        longest=longest,
        bf16=bf16_pays(pick_device()),
    )
