from __future__ import annotations

import numpy as np
import pytest

from chat_app.serving.loaded import load_model
from chat_app.serving.prefix_cache import PrefixCache
from chat_app.serving.requests import ModelKey


@pytest.fixture(scope="module")
def session(trained_folder):
    return load_model(ModelKey(trained_folder), slots=3, threads=2).session


@pytest.fixture
def prefixes(session):
    return PrefixCache(session.cache, session.tile)


def ids_of(length, seed=0):
    return np.random.default_rng(seed).integers(7, 260, length).tolist()


def read_on(session, slot, ids, known):
    for start, end in session.bounds(len(ids) - known, 64):
        scores = session.prefill(slot, ids[known + start : known + end], known + start)
    return scores.logits.copy()


@pytest.mark.parametrize("shared", [16, 31, 40, 64, 65, 97, 130])
@pytest.mark.parametrize("added", [2, 3, 17, 33, 66])
def test_a_prompt_that_is_read_on_has_the_bits_of_one_read_whole(session, prefixes, shared, added):
    first = ids_of(shared)
    then = first + ids_of(added, seed=1)
    session.read_prompt(0, first, 64)
    prefixes.keep("mia", first, 0)
    whole = session.read_prompt(1, then, 64).logits.copy()
    known = prefixes.restore("mia", then, 2)
    assert shared - session.tile < known <= shared
    assert np.array_equal(read_on(session, 2, then, known), whole)


def test_the_same_prompt_again_reads_only_its_end(session, prefixes):
    ids = ids_of(100)
    whole = session.read_prompt(0, ids, 64).logits.copy()
    prefixes.keep("mia", ids, 0)
    known = prefixes.restore("mia", ids, 1)
    assert known == 96
    assert np.array_equal(read_on(session, 1, ids, known), whole)


def test_nobody_gets_what_another_person_read(session, prefixes):
    ids = ids_of(100)
    session.read_prompt(0, ids, 64)
    prefixes.keep("mia", ids, 0)
    assert prefixes.restore("milo", ids, 1) == 0


def test_short_beginnings_are_not_worth_it(session, prefixes):
    ids = ids_of(15)
    prefixes.keep("mia", ids, 0)
    assert prefixes.restore("mia", ids + ids_of(30, seed=1), 1) == 0


def test_the_longest_unused_prompt_goes_when_memory_is_full(session):
    size = sum(buffer[0, :, :50].nbytes for buffer in session.cache.buffers.values())
    prefixes = PrefixCache(session.cache, session.tile, most_bytes=2 * size)
    prompts = [ids_of(50, seed) for seed in range(3)]
    prefixes.keep("mia", prompts[0], 0)
    prefixes.keep("mia", prompts[1], 0)
    assert prefixes.restore("mia", prompts[0], 1)
    prefixes.keep("mia", prompts[2], 0)
    assert [bool(prefixes.restore("mia", prompt, 1)) for prompt in prompts] == [True, False, True]
