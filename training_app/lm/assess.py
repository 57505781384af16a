"""A finished model on conversations it was not trained on: figures, and replies beside answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datasets_app.corpus.conversation import Conversation
from training_app.lm.answer_test import Answered, AnswerFigures, AnswerTest
from training_app.lm.answerer import answerer
from training_app.lm.bands import LossCurve
from training_app.lm.contract import Grounds, Sample
from training_app.lm.evaluation import (
    Evidence,
    Figures,
    TextLoss,
    TextLosses,
    evaluate,
    validation,
    verdict,
)
from training_app.lm.fast import FastLoss
from training_app.lm.folder import open_model
from training_app.lm.model import context_of
from training_app.lm.packing import open_packed, pack
from training_app.lm.replies import answers, question_of, samples
from training_app.lm.template import with_system_prompt
from training_app.lm.tokenizer import token_bytes

# Both chosen by hand.
_BATCH_TOKENS = 1024  # at once
_QUESTIONS = 20  # conversations of which a reply is shown, where no answers are tested


@dataclass(frozen=True, slots=True)
class Learned:
    """With what a model was trained; it is measured with the same."""

    system_prompt: str = ""
    loss_on: str = "all"
    grounds: Grounds | None = None
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an evaluation of a finished model found."""

    figures: Figures
    verdict: str
    samples: list[Sample]  # where no answers were tested
    answers: AnswerFigures
    answered: list[Answered]
    texts: list[TextLoss]


def assess_model(
    folder: Path,
    split: Iterable[Conversation],
    work: Path,
    *,
    test: AnswerTest | None = None,
    learned: Learned = Learned(),
) -> Assessment:
    """Return the figures over all of `split`, which is iterated twice, and its answers.

    Conversations open with the system prompt that the model was trained with, and the verdict is
    about the tokens that it learned from.
    `work` is an empty folder for the token files; the caller removes it. Raises FolderError where
    `folder` is no model, TrainingError where `split` is empty.
    """
    model, template = open_model(folder)
    context, system_prompt = context_of(model), learned.system_prompt
    entries = template.entries
    prompted = (with_system_prompt(talk, system_prompt) for talk in split)
    pack(template.encode_all(prompted), work, vocab_size=entries, context=context)
    packed = open_packed(work)
    assert packed is not None  # noqa: S101 written just now
    lengths = token_bytes(template.tokenizer)
    batch = max(1, _BATCH_TOKENS // context)
    windows = validation(packed, lengths, context=context, batch=batch)
    texts = TextLosses(windows)
    figures = evaluate(FastLoss(model), windows, texts=texts)
    test = test or AnswerTest()
    answer = answerer(
        model,
        template,
        grounds=learned.grounds,
        system_prompt=system_prompt,
        longest=test.longest,
        bf16=learned.bf16,
    )
    found, answered = test.run(answer)
    talks = (with_system_prompt(talk, system_prompt) for talk in islice(split, _QUESTIONS))
    asked = [] if answered else [question for talk in talks if (question := question_of(talk))]
    rows = samples(model, template, asked)
    words = verdict(
        figures, LossCurve([], learned.loss_on), Evidence(answers(asked, rows), answers=found)
    )
    return Assessment(figures, words, rows, found, answered, texts.whole())
