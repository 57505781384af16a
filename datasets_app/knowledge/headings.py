"""What questions are about, where many of one kind are told apart by a name in front of them.

“Do you take cards?” is asked of a hundred places. Their pairs open with the name, in a paragraph of
its own, and whoever asks says it somewhere: how much of a name is said decides between them, which
neither a vector of the whole question nor the count of its words does. A greeting in such a
paragraph is no name: below it one question has many answers, or below any greeting the same one.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets_app.knowledge.layout import mapped
from datasets_app.knowledge.words import number_of, terms_of

HEADING_OF, ENDS, TERMS, WEIGHTS = "about.u32", "about.ends.u64", "about.u64", "about.f32"
LONGEST = 120  # signs; what is longer is a text that questions are asked about
FEWEST = 2  # pieces that are about it

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of one knowledge, mapped from their files."""

    _of: npt.NDArray[np.uint32]  # (pieces,) the number of its heading, 0 for none
    _ends: npt.NDArray[np.uint64]
    _terms: npt.NDArray[np.uint64]
    _weights: Scores

    @classmethod
    def open(cls, folder: Path) -> Headings | None:
        """Map them; None where no piece has one."""
        if not (folder / HEADING_OF).exists():
            return None
        return cls(
            mapped(folder / HEADING_OF, np.uint32),
            mapped(folder / ENDS, np.uint64),
            mapped(folder / TERMS, np.uint64),
            mapped(folder / WEIGHTS, np.float32),
        )

    def shares(self, question: str) -> Scores:
        """Return (pieces,) how much of each piece's heading the question says, from 0 to 1."""
        said = np.fromiter(map(number_of, terms_of(question)), np.uint64)
        weights = np.where(np.isin(self._terms, said), self._weights, np.float32(0))
        begins = np.concatenate(([0], self._ends[:-1])).astype(np.intp)
        told = np.add.reduceat(weights, begins)
        return np.concatenate(([0], told)).astype(np.float32)[self._of]


def _parted(question: str) -> tuple[str, str]:
    """Return the short paragraph that a question opens with and what follows; "" without one."""
    first, _, rest = question.partition("\n\n")
    is_heading = bool(rest.strip()) and len(first) <= LONGEST and "\n" not in first.strip()
    return (first.strip(), rest.strip()) if is_heading else ("", question)


class _Asked:
    """What is answered below which headings."""

    def __init__(self) -> None:
        self._answers: defaultdict[str, defaultdict[int, set[int]]]
        self._answers = defaultdict(lambda: defaultdict(set))

    def add(self, question: str, heading: int, answer: int) -> None:
        """Note an answer to a question below a heading."""
        self._answers[question.casefold()][heading].add(answer)

    def names(self) -> set[int]:
        """Return the headings that decide about answers more often than they leave them open."""
        decided = Counter[int]()
        for below in self._answers.values():
            every = set().union(*below.values())
            for heading, answers in below.items():
                if len(answers) > 1:
                    decided[heading] -= 1
                elif len(every) > 1:
                    decided[heading] += 1
        return {heading for heading, times in decided.items() if times > 0}


def write_headings(
    folder: Path,
    questions: Iterable[tuple[str, int]],
    rarities: Callable[[npt.NDArray[np.uint64]], Scores],
) -> None:
    """Write the headings of pieces; no files without any.

    Questions come in the pieces' order, each with a number that is equal for equal answers;
    `rarities` says how much terms (n,) tell (n,).
    """
    numbers: dict[str, int] = {}
    of = array("I")
    asked = _Asked()
    for question, answer in questions:
        heading, rest = _parted(question)
        of.append(numbers.setdefault(heading, len(numbers) + 1) if heading else 0)
        if heading:
            asked.add(rest, of[-1], answer)
    counts = np.bincount(np.array(of, np.uint32), minlength=len(numbers) + 1)
    kept = np.zeros(len(numbers) + 1, np.uint32)
    terms: list[npt.NDArray[np.uint64]] = []
    names = asked.names()
    for heading, number in numbers.items():
        told = np.fromiter(dict.fromkeys(map(number_of, terms_of(heading))), np.uint64)
        if number in names and counts[number] >= FEWEST and told.size:
            terms.append(told)
            kept[number] = len(terms)
    if not terms:
        return
    weights = [rarities(told) for told in terms]
    np.cumsum([one.size for one in terms]).astype(np.uint64).tofile(folder / ENDS)
    np.concatenate(terms).tofile(folder / TERMS)
    np.concatenate([one / one.sum() for one in weights]).tofile(folder / WEIGHTS)
    kept[np.array(of, np.uint32)].tofile(folder / HEADING_OF)
