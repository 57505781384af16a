"""Finds the clusters of a dataset from its index; texts are fetched of what may be similar only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.corpus.conversation import Conversation
from datasets_app.corpus.repeats import clusters
from datasets_app.corpus.repeats.candidates import Pairs, estimated, likeliest, pairs_of
from datasets_app.corpus.repeats.clusters import Cluster, Joined, Text
from datasets_app.corpus.repeats.index import Index, Lines
from datasets_app.corpus.repeats.said import stored_exchange
from datasets_app.corpus.repeats.sketch import Keys, similarity

Places = npt.NDArray[np.int64]
Fetch = Callable[[Sequence[int]], Mapping[int, Conversation]]
AT_ONCE = 2_000  # pairs whose texts are held together
NEAR_QUESTION = 0.80  # of questions whose words are nearly the same
UNSURE = 0.15  # by which an estimate may be too low

_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(slots=True)
class Comparison:
    """The rows that are compared: their lines of the index, and where to get what they say."""

    index: Index
    places: Places  # of the rows in the index, in the order of their numbers
    fetch: Fetch
    still: Callable[[], None] = lambda: None
    lines: Lines = field(init=False)
    first: Places = field(init=False)  # of each text that several rows have
    copies: dict[int, list[int]] = field(
        init=False
    )  # numbers of all rows of such a text, by the first

    def __post_init__(self) -> None:
        self.lines = self.index.lines()[self.places]
        _, first, inverse = np.unique(self.lines["exact"], return_index=True, return_inverse=True)
        self.first = np.sort(first)
        counts = np.bincount(inverse, minlength=len(first))
        self.copies = {}
        many = np.flatnonzero(counts[inverse] > 1)
        for place in many:
            leader = int(self.lines["pk"][first[inverse[place]]])
            self.copies.setdefault(leader, []).append(int(self.lines["pk"][place]))

    def all_of(self, numbers: Iterable[int]) -> list[int]:
        """Return the numbers with those of their copies."""
        return sorted({copy for pk in numbers for copy in self.copies.get(pk, [pk])})


def exact_clusters(rows: Comparison) -> list[Cluster]:
    """Return the rows that say the same."""
    return [
        Cluster("exact", tuple((pk, 1.0) for pk in members), float(len(members)))
        for members in rows.copies.values()
    ]


def near_clusters(rows: Comparison) -> list[Cluster]:
    """Return the rows that say nearly the same, and state the same."""
    joined = Joined()
    for kind in (False, True):
        chosen = rows.first[rows.lines["is_long"][rows.first] == kind]
        least = clusters.SIMILAR_LONG if kind else clusters.SIMILAR
        keys = rows.index.band_keys()[rows.places[chosen]]
        facts = rows.lines["facts"][chosen]
        pairs = pairs_of(_bands(keys, facts, is_long=kind), len(chosen))
        rows.still()
        estimates = estimated(rows.index.marks()[rows.places[chosen]], pairs)
        likely = likeliest(pairs, estimates, least=least - UNSURE)
        _verify(rows, rows.lines["pk"][chosen], likely, joined)
    return list(_near_sets(rows, joined.sets()))


def _bands(keys: npt.NDArray[np.uint32], facts: Keys, *, is_long: bool) -> Iterator[Keys]:
    """Yield the keys of each band; rows of other facts have other keys."""
    step = 2 if is_long else 1
    for place in range(0, keys.shape[1], step):
        key = keys[:, place].astype(np.uint64) * _MIX
        if is_long:
            key = (key ^ keys[:, place + 1]) * _MIX
        yield (key ^ facts) * _MIX


def _verify(rows: Comparison, numbers: Places, pairs: Pairs, joined: Joined) -> None:
    """Join what is really similar; what is joined already is not looked at."""
    for start in range(0, len(pairs), AT_ONCE):
        open_pairs = [
            (one, other)
            for one, other in numbers[pairs[start : start + AT_ONCE]].tolist()
            if joined.find(one) != joined.find(other)
        ]
        texts = _texts(rows, {pk for pair in open_pairs for pk in pair})
        for one, other in open_pairs:
            if joined.find(one) == joined.find(other) or not {one, other} <= texts.keys():
                continue
            if clusters.are_similar(texts[one], texts[other]):
                joined.join(one, other)
        rows.still()


def _near_sets(rows: Comparison, sets: list[list[int]]) -> Iterator[Cluster]:
    for group in _portions(sets):
        texts = _texts(rows, {pk for members in group for pk in members})
        for members in group:
            known = [pk for pk in members if pk in texts]
            like = {pk: clusters.likeness(texts[known[0]], texts[pk]) for pk in known}
            near = [pk for pk in known if like[pk] > 0]
            if len(near) > 1:
                told = [(copy, like[pk]) for pk in near for copy in rows.all_of([pk])]
                yield Cluster("near", tuple(told), float(len(told)))
        rows.still()


def _portions(sets: list[list[int]]) -> Iterator[list[list[int]]]:
    portion: list[list[int]] = []
    for members in sets:
        portion.append(members)
        if sum(map(len, portion)) > AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def _texts(rows: Comparison, numbers: set[int]) -> dict[int, Text]:
    found = rows.fetch(sorted(numbers))
    return {pk: Text.of(*(turn.text for turn in one.turns)) for pk, one in found.items()}


def snapshot_clusters(rows: Comparison) -> list[Cluster]:
    """Return the conversations that begin a longer one word for word, the longest first."""
    begun = rows.index.beginning_keys()
    begun = begun[np.isin(begun["pk"], rows.lines["pk"])]
    owners, lengths = np.unique(begun["pk"], return_counts=True)
    length_of = dict(zip(owners.tolist(), lengths.tolist(), strict=True))
    shorter = rows.first[np.isin(rows.lines["exact"][rows.first], begun["key"])]
    by_key = {int(rows.lines["exact"][place]): int(rows.lines["pk"][place]) for place in shorter}
    longest: dict[int, int] = {}
    wanted = np.isin(begun["key"], np.array(list(by_key), np.uint64))
    for owner, key in begun[wanted].tolist():
        pk = by_key[key]
        if length_of[owner] > length_of.get(longest.get(pk, -1), 0):
            longest[pk] = owner
    found: dict[int, list[int]] = defaultdict(list)
    for pk, owner in longest.items():
        found[owner].append(pk)
    return [
        Cluster(
            "snapshot",
            ((owner, 1.0), *((pk, 0.0) for pk in rows.all_of(parts) if pk != owner)),
            float(len(parts)),
        )
        for owner, parts in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as several rows ask it: the first row of each answer to it."""

    rows: dict[int, list[int]]  # by answer

    @property
    def numbers(self) -> list[int]:
        return sorted(pk for members in self.rows.values() for pk in members)


def question_clusters(
    rows: Comparison, same: Iterable[tuple[int, int]]
) -> tuple[list[Cluster], int]:
    """Return what is asked twice, and how many questions have too many answers for a conflict.

    `same` are pairs of question keys that ask for the same.
    """
    sets = _questions(rows, same)
    few = [one for one in sets if len(one) > 1 and _answers(one) <= clusters.MOST_MEMBERS]
    crowded = sum(_answers(one) > clusters.MOST_MEMBERS for one in sets)
    found: list[Cluster] = []
    for group in _portions([[pk for _, _, pk in one] for one in few]):
        fetched = rows.fetch(sorted({pk for members in group for pk in members}))
        for members in group:
            found += _judged(rows, [pk for pk in members if pk in fetched], fetched)
        rows.still()
    return found, crowded


def _answers(one: list[tuple[int, int, int]]) -> int:
    return len({answer for _, answer, _ in one})


def _questions(
    rows: Comparison, same: Iterable[tuple[int, int]]
) -> list[list[tuple[int, int, int]]]:
    """Return question, answer and first row of what is asked or answered in several ways."""
    lines = rows.lines[rows.first]
    lines = lines[lines["asked"] > 0]
    leaders = _leaders(lines, same)
    found: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    fields = (lines["asked"].tolist(), lines["answer"].tolist(), lines["pk"].tolist())
    for asked, answer, pk in zip(*fields, strict=True):
        found[leaders[asked]].setdefault((asked, answer), pk)
    return [
        [(asked, answer, pk) for (asked, answer), pk in one.items()]
        for one in found.values()
        if len(one) > 1
    ]


def _leaders(lines: Lines, same: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return the question that stands for each: what carries their meaning is equal, or near.

    Who follows a leader leads nobody, so that no chain leads from one question to another.
    """
    by_meaning: dict[int, int] = {}
    leaders: dict[int, int] = {}
    for asked, meant in zip(lines["asked"].tolist(), lines["meant"].tolist(), strict=True):
        leaders.setdefault(asked, by_meaning.setdefault(meant, asked))
    leading: set[int] = set()
    moved: dict[int, int] = {}
    for one, other in same:
        first, second = leaders.get(one, 0), leaders.get(other, 0)
        if not first or not second or first == second:
            continue
        if first not in moved and second not in moved and second not in leading:
            moved[second] = first
            leading.add(first)
    return {asked: moved.get(leader, leader) for asked, leader in leaders.items()}


def _judged(
    rows: Comparison, members: list[int], fetched: Mapping[int, Conversation]
) -> list[Cluster]:
    """Return the cluster of one question: a conflict, or one that is asked in several ways."""
    told = {pk: stored_exchange(fetched[pk]) for pk in members}
    answers = [(pk, Text.of(answer)) for pk, (_, answer) in told.items()]
    groups = clusters.answer_groups(answers)
    first = answers[0][1] if answers else None
    if len(members) < 2 or first is None:
        return []
    like = {pk: clusters.likeness(first, text) for pk, text in answers}
    shown = tuple((copy, like[pk]) for pk in members for copy in rows.all_of([pk]))
    if len(groups) > 1:
        weight = clusters.contradiction(group[0][1] for group in groups)
        return [Cluster("conflict", shown, weight)]
    if len({Text.of(question).bare for question, _ in told.values()}) > 1:
        return [Cluster("meaning", shown, float(len(shown)))]
    return []


def without_repeated(found: Sequence[Cluster]) -> list[Cluster]:
    """Leave out what is asked in several ways where it is shown as nearly the same already."""
    near = [frozenset(pk for pk, _ in one.members) for one in found if one.kind == "near"]
    by_row: dict[int, list[frozenset[int]]] = defaultdict(list)
    for members in near:
        for pk in members:
            by_row[pk].append(members)
    return [
        one
        for one in found
        if one.kind != "meaning"
        or not any(
            {pk for pk, _ in one.members} <= members for members in by_row[one.members[0][0]]
        )
    ]


def near_questions(rows: Comparison) -> list[tuple[int, int]]:
    """Return pairs of question keys whose words are nearly the same and state the same."""
    lines = rows.lines
    _, first = np.unique(lines["asked"], return_index=True)
    first = np.sort(first[lines["asked"][first] > 0])
    keys = rows.index.asked()[rows.places[first]]
    bands = (keys[:, place].astype(np.uint64) for place in range(keys.shape[1]))
    return same_questions(rows, first, pairs_of(bands, len(first)), least=NEAR_QUESTION)


def same_questions(
    rows: Comparison, first: Places, pairs: Any, *, least: float
) -> list[tuple[int, int]]:
    """Return the question keys of those pairs that do not state something else."""
    found: list[tuple[int, int]] = []
    numbers, asked = rows.lines["pk"], rows.lines["asked"]
    for start in range(0, len(pairs), AT_ONCE):
        chunk = first[np.asarray(pairs[start : start + AT_ONCE], np.int64)]
        fetched = rows.fetch(sorted(set(numbers[chunk].ravel().tolist())))
        texts = {pk: Text.of(stored_exchange(one)[0]) for pk, one in fetched.items()}
        for one, other in chunk.tolist():
            left, right = texts.get(int(numbers[one])), texts.get(int(numbers[other]))
            if left is None or right is None or clusters.stated_otherwise(left, right):
                continue
            if similarity(left.bare, right.bare, is_long=False) >= least:
                found.append((int(asked[one]), int(asked[other])))
        rows.still()
    return found
