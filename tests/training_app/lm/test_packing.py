"""Token files are laid end to end; windows hold everything once or are chosen by (seed, step)."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_app.lm.config import TrainingError
from training_app.lm.packing import (
    fixed_windows,
    gather_fixed,
    open_packed,
    pack,
    random_windows,
)
from training_app.lm.template import Encoded


def packed_of(folder, lengths, vocab_size=1000, context=16):
    ids = iter(range(10**6))
    encoded = [Encoded([next(ids) % vocab_size for _ in range(n)], [n % 2] * n) for n in lengths]
    facts = pack(encoded, folder, vocab_size=vocab_size, context=context)
    return facts, open_packed(folder)


@pytest.mark.slow
@settings(max_examples=60)
@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_fixed_windows_hold_every_token_once(tmp_path_factory, lengths):
    _, packed = packed_of(tmp_path_factory.mktemp("pack"), lengths)
    windows = fixed_windows(packed, 16)
    batch = gather_fixed(packed, windows, 16)
    assert batch.targets[batch.counted == 1].tolist() == packed.tokens.tolist()
    starts = set(packed.starts.tolist())
    long_ones = {start for start, n in zip(starts_of(lengths), lengths, strict=True) if n > 16}
    inside = [s for s, _ in windows if s not in starts]
    assert all(any(start < s for start in long_ones) for s in inside)


def starts_of(lengths):
    return (np.cumsum(lengths) - lengths).tolist()


def test_the_facts_count_what_is_longer_than_the_context(tmp_path):
    facts, packed = packed_of(tmp_path, [5, 40, 16, 17])
    assert (facts.tokens, facts.conversations, facts.overlong) == (78, 4, 2)
    assert packed.tokens.dtype == np.uint16


@pytest.mark.checklist(74)
def test_a_large_vocabulary_is_kept_in_32_bits(tmp_path):
    _, packed = packed_of(tmp_path, [5], vocab_size=100_000)
    assert packed.tokens.dtype == np.uint32


def test_seed_and_position_are_all_that_chooses_windows(tmp_path):
    _, packed = packed_of(tmp_path, [30, 30])
    one = random_windows(packed, 8, 4, seed=1, position=7)
    again = random_windows(packed, 8, 4, seed=1, position=7)
    other = random_windows(packed, 8, 4, seed=1, position=8)
    assert (one.ids == again.ids).all()
    assert (one.ids != other.ids).any()
    assert (one.ids[:, 1:] == one.targets[:, :-1]).all()


def test_data_shorter_than_the_context_go_round(tmp_path):
    _, packed = packed_of(tmp_path, [5])
    windows = random_windows(packed, 16, 2, seed=1, position=1)
    assert windows.ids.shape == (2, 16)
    assert set(windows.ids.ravel().tolist()) == {0, 1, 2, 3, 4}


def test_an_incomplete_folder_is_not_used(tmp_path):
    packed_of(tmp_path, [5, 6])
    (tmp_path / "tokens.bin").write_bytes(b"12")
    assert open_packed(tmp_path) is None
    assert open_packed(tmp_path / "nowhere") is None


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no conversation"):
        pack([], tmp_path, vocab_size=10, context=16)


@pytest.mark.slow
@pytest.mark.checklist(89)
def test_packing_keeps_memory_flat(tmp_path):
    item = Encoded(list(range(1000)), [1] * 1000)

    def peak(count):
        tracemalloc.start()
        pack((item for _ in range(count)), tmp_path, vocab_size=1000, context=16)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(2000) < 1.2 * peak(200)
