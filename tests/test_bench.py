"""Every benchmark runs on a fresh clone: at its smallest size, with what the project installs."""

from __future__ import annotations

import math

import pytest

from tests.bench.run import figures, names


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_benchmark_runs_at_its_smallest_size(name):
    found = figures(name, smallest=True)
    assert found
    assert all(math.isfinite(figure) for figure in found.values()), found
