from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from chat_app.serving.errors import BrokenModelError, ServingError
from chat_app.serving.sampling import Sampler, Sampling

PROMPT = [3, 17, 4, 25, 3]


def ranked(logits, count=256):
    order = np.lexsort((np.arange(len(logits)), -logits))[: min(count, len(logits))]
    return logits, logits[order], order


def warped(params, logits):
    steps = LogitsProcessorList()
    if params.repetition_penalty != 1:
        steps.append(RepetitionPenaltyLogitsProcessor(params.repetition_penalty))
    steps.append(TemperatureLogitsWarper(params.temperature))
    if params.top_k:
        steps.append(TopKLogitsWarper(params.top_k))
    if params.top_p < 1:
        steps.append(TopPLogitsWarper(params.top_p))
    if params.min_p:
        steps.append(MinPLogitsWarper(params.min_p))
    scores = steps(torch.tensor([PROMPT]), torch.tensor(logits)[None])
    return torch.softmax(scores, -1)[0].numpy()


@pytest.mark.parametrize("spread", [0.3, 2.0, 6.0])
@pytest.mark.parametrize("vocab", [100, 5000])
@pytest.mark.parametrize(
    "params",
    [
        Sampling(),
        Sampling(temperature=1.0, top_p=1.0),
        Sampling(temperature=0.7, top_p=0.9, repetition_penalty=1.2),
        Sampling(temperature=1.3, top_k=50, top_p=0.95),
        Sampling(temperature=0.9, top_k=400, top_p=1.0),
        Sampling(temperature=0.9, top_k=20, top_p=0.8, min_p=0.05, repetition_penalty=1.1),
        Sampling(temperature=1.0, top_p=0.99, min_p=0.01),
        Sampling(temperature=1.0, top_p=1.0, repetition_penalty=0.7, min_p=0.1),
        Sampling(temperature=1.0, top_p=0.0),
    ],
)
def test_chances_are_those_of_transformers(params, vocab, spread):
    rng = np.random.default_rng(vocab)
    for _ in range(3):
        logits = (rng.standard_normal(vocab) * spread).astype(np.float32)
        ids, probabilities = Sampler(params, 1, PROMPT).candidates(*ranked(logits))
        ours = np.zeros(vocab)
        ours[ids] = probabilities
        np.testing.assert_allclose(ours, warped(params, logits), atol=2e-6)
        assert (np.diff(probabilities) <= 0).all()


@pytest.mark.checklist(27)
def test_temperature_zero_takes_the_best_token_whatever_the_seed():
    logits = np.random.default_rng(2).standard_normal(500).astype(np.float32)
    for seed in range(5):
        sampler = Sampler(Sampling(temperature=0.0), seed, PROMPT)
        assert sampler.choose(*ranked(logits)) == logits.argmax()


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("more", [{}, {"frequency_penalty": 1.0}])
def test_scores_that_are_not_numbers_are_a_sentence_at_every_temperature(temperature, broken, more):
    logits = np.random.default_rng(2).standard_normal(500).astype(np.float32)
    logits[17] = broken
    sampler = Sampler(Sampling(temperature=temperature, **more), 1, PROMPT)
    with pytest.raises(BrokenModelError, match="not numbers"):
        sampler.choose(*ranked(logits))


def test_equal_scores_stay_together_and_come_lowest_id_first():
    logits = np.zeros(600, np.float32)
    ids, probabilities = Sampler(Sampling(top_k=5, top_p=1.0), 1, []).candidates(*ranked(logits))
    assert ids.tolist() == list(range(600))
    assert np.allclose(probabilities, 1 / 600)


@pytest.mark.slow
def test_draws_follow_the_chances():
    logits = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    sampler = Sampler(Sampling(temperature=1.0, top_p=1.0), 7, [])
    drawn = [sampler.choose(*ranked(logits)) for _ in range(8000)]
    assert np.allclose(np.bincount(drawn) / len(drawn), [0.5, 0.3, 0.2], atol=0.02)


def test_the_same_seed_draws_the_same_tokens_and_a_given_token_counts_as_a_draw():
    rows = np.random.default_rng(3).standard_normal((20, 300)).astype(np.float32)
    params = Sampling(temperature=1.2, frequency_penalty=0.3, presence_penalty=0.2)
    first, second = Sampler(params, 11, PROMPT), Sampler(params, 11, PROMPT)
    tokens = [first.choose(*ranked(row)) for row in rows]
    for token in tokens[:8]:
        second.accept(token)
    assert [second.choose(*ranked(row)) for row in rows[8:]] == tokens[8:]


def test_frequency_and_presence_penalties_count_the_answer_only():
    logits = np.zeros(10, np.float32)
    params = Sampling(temperature=1.0, top_p=1.0, frequency_penalty=0.5, presence_penalty=0.25)
    sampler = Sampler(params, 1, [1, 1, 1])
    for token in (2, 2, 3):
        sampler.accept(token)
    ids, probabilities = sampler.candidates(*ranked(logits))
    scores = dict(zip(ids.tolist(), np.log(probabilities / probabilities[0]), strict=True))
    assert scores[1] == pytest.approx(0)
    assert scores[2] == pytest.approx(-1.25, abs=1e-6)
    assert scores[3] == pytest.approx(-0.75, abs=1e-6)


def test_a_bias_can_lift_a_token_that_the_graph_did_not_rank():
    logits = np.linspace(5, 0, 2000, dtype=np.float32)
    sampler = Sampler(Sampling(temperature=0.0, logit_bias={1999: 100.0}), 1, [])
    assert sampler.choose(*ranked(logits)) == 1999


@pytest.mark.parametrize("values", [{"temperature": -1}, {"top_p": 1.5}, {"repetition_penalty": 0}])
def test_values_out_of_range_are_refused_with_a_sentence(values):
    with pytest.raises(ServingError, match="must lie between"):
        Sampling(**values)
