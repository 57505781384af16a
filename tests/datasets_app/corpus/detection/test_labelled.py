from __future__ import annotations

import pytest

from tests.bench.bench_encodings import ASKED, NOT_OFFERED, SILENT, outcomes, sum_of
from tests.datasets_app.corpus.detection.labelled import UNICODE

STEP = 7


@pytest.fixture(scope="module")
def rows():
    return outcomes(STEP)


@pytest.mark.slow
@pytest.mark.parametrize("is_unseen", [False, True])
def test_an_older_encoding_is_told_right_or_asked_for(rows, is_unseen):
    counts = sum_of(rows, is_unseen=is_unseen)
    assert counts.total() > 100
    assert counts[SILENT] <= 0.01 * counts.total(), rows
    assert counts[ASKED] + counts[NOT_OFFERED] <= 0.1 * counts.total(), rows
    assert counts[NOT_OFFERED] == 0, rows


@pytest.mark.slow
def test_nobody_is_asked_about_unicode(rows):
    assert len({encoding for encoding, _ in rows}) > 50
    texts = sum(counts.total() for counts in rows.values())
    assert texts > 600
    for (encoding, _), counts in rows.items():
        if encoding in UNICODE:
            assert set(counts) == {"right"}, (encoding, counts)
