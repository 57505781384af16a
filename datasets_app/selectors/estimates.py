"""Counts of a large dataset: exact where that is quick, else told from rows spread over it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BooleanField, F, Func, QuerySet, Value

from datasets_app.models import Conversation, Dataset

MOST_EXACT = 100_000  # rows of a dataset up to which everything is counted one by one
SAMPLE_RUNS, SAMPLE_RUN = 400, 25  # runs of neighbours: these lie on a few pages of the disk
FEW_SEEN = 40  # in a sample: so few in 10,000 are better counted, where an index finds them
MOST_FOUND = 20_000  # rows that are counted one by one where so few were seen
MOST_PASSED = 5_000  # rows before a page that are counted one by one


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows; an estimate has two digits, it is no better than that."""

    number: int
    is_estimate: bool = False

    def __str__(self) -> str:
        return f"about {self.number:,}" if self.is_estimate else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


def is_large(dataset: Dataset) -> bool:
    """Tell whether counting the dataset's rows takes longer than a page may."""
    return dataset.next_position - 1 > MOST_EXACT


def in_sample(dataset: Dataset) -> Func:
    """Return the condition to stand in one of the runs that the estimates are made from."""
    places = dataset.next_position - 1
    starts = (1 + number * places // SAMPLE_RUNS for number in range(SAMPLE_RUNS))
    chosen = [place for start in starts for place in range(start, start + SAMPLE_RUN)]
    return Func(
        *(F("position"), Value(chosen)),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


def scale_of(dataset: Dataset) -> float:
    """Return for how many rows each row of the sample stands."""
    return (dataset.next_position - 1) / (SAMPLE_RUNS * SAMPLE_RUN)


def is_few(seen: int) -> bool:
    """Tell whether so many rows of the sample say little about how many there are."""
    return seen < FEW_SEEN


def rounded(count: float) -> int:
    """Return two digits of an estimate."""
    step: int = 10 ** max(0, len(str(int(count))) - 2)
    return round(count / step) * step


def passed(dataset: Dataset, before: QuerySet[Conversation]) -> Count:
    """Return how many rows stand before a page."""
    if not is_large(dataset):
        return Count(before.count())
    few = before.order_by()[: MOST_PASSED + 1].count()
    if few <= MOST_PASSED:
        return Count(few)
    seen = before.filter(in_sample(dataset)).order_by().count()
    return Count(max(few, rounded(seen * scale_of(dataset))), is_estimate=True)
