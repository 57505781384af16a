"""The nearest rows of an index: each once, as it was read last, nearest first."""

from __future__ import annotations

import numpy as np

from datasets_app.corpus.repeats.index import Index
from datasets_app.corpus.repeats.nearest import nearest
from datasets_app.corpus.repeats.said import said
from tests.datasets_app.makers import pair

ANSWER = "It is on its way to you."
QUESTIONS = ["Where is my parcel?", "Where is my order?", "When are you open?"]
VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)


def indexed(folder):
    told = [said(pair(question, ANSWER)) for question in QUESTIONS]
    index = Index(folder).with_rows([(1_000_001 + n, 1) for n in range(3)], told)
    # the second row was changed: it asks for the opening hours now
    index = index.with_rows([(1_000_002, 2)], [told[2]])
    return index.with_vectors("toy", [one.asked for one in told], VECTORS), told


def test_rows_come_nearest_first_and_as_they_were_read_last(tmp_path):
    index, told = indexed(tmp_path)
    found = nearest(index, told[2].asked, least=0.5, most=10)
    assert [(one.pk, one.revision) for one in found] == [(1_000_002, 2), (1_000_003, 1)]
    everything = nearest(Index.open(tmp_path), told[1].asked, least=-1, most=10)
    assert [(one.pk, round(one.cosine, 2)) for one in everything] == [
        *((1_000_001, 0.8), (1_000_002, 0.6), (1_000_003, 0.6))
    ]
    assert len(nearest(index, told[0].asked, least=-1, most=2)) == 2


def test_a_question_without_a_vector_is_not_taken_for_another(tmp_path):
    index, _ = indexed(tmp_path)
    assert nearest(index, 4711, least=-1, most=10) is None
    assert nearest(Index(tmp_path / "none"), 4711, least=-1, most=10) is None
