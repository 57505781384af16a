"""Replies measured beside what somebody expects: exact, keywords, a pattern, F1, ROUGE-L.

Words are letters and digits in small letters, as in SQuAD's F1 (Rajpurkar et al. 2016, section 6.1,
articles kept). ROUGE-L is the F-measure of the longest common subsequence (Lin 2004, section 3).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import regex

from datasets_app.corpus.detection.encoding import clean_text
from training_app.lm.config import TrainingError

MOST_TESTS, MOST_CHARACTERS = 500, 400_000
LONGEST_PATTERN = 1_000  # characters
PATTERN_SECONDS = 0.2  # of a pattern on one reply; chosen by hand, ordinary ones take a millisecond
_WORDS = re.compile(r"\w+")
_MOST_WORDS = 400  # of a text in ROUGE-L, whose time grows with the square
COLUMNS = ("question", "answer", "keywords", "regex")


@dataclass(frozen=True, slots=True)
class Expected:
    """A question of a test set; `keywords` are all wanted, `a|b` means one of them."""

    question: str
    answer: str = ""
    keywords: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Measures:
    """What a reply is worth; None where the test does not ask for it."""

    exact: bool | None = None
    keywords: bool | None = None
    pattern: bool | None = None
    f1: float | None = None
    rouge_l: float | None = None


def measured(reply: str, expected: Expected) -> Measures:
    """Return the measures of one reply."""
    said, real = words_of(reply), words_of(expected.answer)
    return Measures(
        exact=said == real if real else None,
        keywords=_has_all(reply, expected.keywords) if expected.keywords else None,
        pattern=_matches(expected.pattern, reply) if expected.pattern else None,
        f1=round(f1(said, real), 4) if real else None,
        rouge_l=round(rouge_l(said, real), 4) if real else None,
    )


def means(found: Sequence[Measures]) -> dict[str, float]:
    """Return the mean of each measure over the replies that it was asked of."""
    result = {}
    for name in Measures.__dataclass_fields__:
        values = [float(value) for one in found if (value := getattr(one, name)) is not None]
        if values:
            result[name] = sum(values) / len(values)
    return result


def words_of(text: str) -> list[str]:
    """Return the words of a text, small, without signs."""
    return _WORDS.findall(text.casefold())


def f1(said: Sequence[str], real: Sequence[str]) -> float:
    """Return the F-measure of the words that both have, 0 to 1."""
    both = sum((Counter(said) & Counter(real)).values())
    return 2 * both / (len(said) + len(real)) if both else 0.0


def rouge_l(said: Sequence[str], real: Sequence[str]) -> float:
    """Return the F-measure of the longest common subsequence of words, 0 to 1."""
    said, real = said[:_MOST_WORDS], real[:_MOST_WORDS]
    row = [0] * (len(real) + 1)
    for word in said:
        before = 0  # of the row above, one place to the left
        for place, other in enumerate(real, start=1):
            above = row[place]
            row[place] = before + 1 if word == other else max(above, row[place - 1])
            before = above
    return 2 * row[-1] / (len(said) + len(real)) if row[-1] else 0.0


def _has_all(reply: str, keywords: Iterable[str]) -> bool:
    small = reply.casefold()
    return all(any(one in small for one in word.casefold().split("|") if one) for word in keywords)


def _matches(pattern: str, reply: str) -> bool:
    """Tell whether a pattern is found; one that takes too long is not."""
    try:
        return regex.search(pattern, reply, timeout=PATTERN_SECONDS) is not None
    except (TimeoutError, RecursionError):
        return False


def read_tests(text: str) -> list[Expected]:
    """Return the questions of a text: CSV with a header, or one JSON object a line.

    Raises TrainingError that names the line of the first mistake.
    """
    if len(text) > MOST_CHARACTERS:
        raise TrainingError(f"A test set takes at most {MOST_CHARACTERS:,} characters.")
    is_json = text.lstrip().startswith("{")
    found = list(_of_json(text) if is_json else _of_csv(text))
    if not found:
        raise TrainingError("There is no question in this text. Its first line names the columns.")
    if len(found) > MOST_TESTS:
        raise TrainingError(f"A test set takes at most {MOST_TESTS} questions, not {len(found):,}.")
    return found


def _of_csv(text: str) -> Iterator[Expected]:
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in head else ",")
    try:
        names = [name.strip().casefold() for name in next(rows, [])]
        if "question" not in names:
            raise TrainingError(
                "The first line must name the columns: question, answer, keywords, regex."
            )
        odd = [name for name in names if name not in COLUMNS]
        if odd:
            raise TrainingError(f"There is no column “{odd[0]}”; columns are {', '.join(COLUMNS)}.")
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _expected(dict(zip(names, row, strict=False)), rows.line_num)
    except csv.Error as error:
        raise TrainingError(f"Line {rows.line_num} is no CSV: {error}.") from error


def _of_json(text: str) -> Iterator[Expected]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TrainingError(f"Line {number} is no JSON object.") from error
        if not isinstance(values, dict):
            raise TrainingError(f"Line {number} is no JSON object.")
        odd = [key for key in values if key not in COLUMNS]
        if odd:
            name = clean_text(odd[0]).text[:60]
            raise TrainingError(f"Line {number}: there is no “{name}”; {', '.join(COLUMNS)} are.")
        yield _expected(values, number)


def _expected(values: dict[str, Any], number: int) -> Expected:
    given = values.get("keywords") or []
    words = given.split(";") if isinstance(given, str) else given
    texts = [values.get(name) or "" for name in ("question", "answer", "regex")]
    if not (isinstance(words, list) and all(isinstance(one, str) for one in (*texts, *words))):
        raise TrainingError(f"Line {number}: question, answer, keywords and regex are texts.")
    question, answer, pattern = (clean_text(one).text.strip() for one in texts)
    words = [clean_text(one).text.strip() for one in words]
    found = Expected(question, answer, tuple(one for one in words if one), pattern)
    if not found.question:
        raise TrainingError(f"Line {number} has no question.")
    if not (found.answer or found.keywords or found.pattern):
        raise TrainingError(f"Line {number} says nothing of the answer: give one of the three.")
    if len(found.pattern) > LONGEST_PATTERN:
        raise TrainingError(f"Line {number}: a regex has at most {LONGEST_PATTERN:,} characters.")
    try:
        regex.compile(found.pattern)
    except regex.error as error:
        raise TrainingError(f"Line {number}: the regex cannot be read: {error}.") from error
    except RecursionError:
        raise TrainingError(f"Line {number}: the regex is nested too deeply.") from None
    return found


def as_json(expected: Expected) -> dict[str, Any]:
    """Return a question as `from_json` takes it."""
    return asdict(expected)


def from_json(values: dict[str, Any]) -> Expected:
    """Return a stored question."""
    return Expected(**{**values, "keywords": tuple(values["keywords"])})
