"""Examples that teach a model to answer from what it is given, and to say when it is not there.

RAFT (Zhang et al. 2024): prompts are made as at serving, but never hold the row they are made of.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from pathlib import Path

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from datasets_app.corpus.split import Split
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.find import Knowledge, Without
from datasets_app.knowledge.known import Asked, Vectors
from training_app.lm.config import DataConfig, RunSpec, TrainingError
from training_app.lm.contract import Row, TokenSource
from training_app.lm.elsewhere import QUESTIONS_ELSEWHERE
from training_app.lm.grounding import Source, grounded, grounded_prompt, source_of
from training_app.lm.replies import Question
from training_app.lm.spreading import spread
from training_app.lm.template import Encoded, Template, with_system_prompt

# All chosen by hand.
LIKE_SERVING = 0.5  # share of those whose sources share words with the question
WITHOUT_EQUAL = 0.5  # share of the others from which rows with the very same answer are left out
MOST_EXCHANGES = 4  # of one conversation
MOST_ROWS = 3_000  # of a split, evenly spread
KEPT_BACK: tuple[Split, ...] = ("validation", "test")
HISTORY_TURNS = 4  # before the question


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question in its talk, and what was answered; `row` and `number` say where it stands."""

    row: int
    number: int
    before: tuple[Turn, ...]
    question: str
    answer: str

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return the talk up to the question."""
        return (*self.before, Turn(USER, self.question))


@dataclass(frozen=True, slots=True)
class Example:
    """What is asked, what of the known stands in the prompt, nearest first, and what is right."""

    turns: tuple[Turn, ...]
    sources: tuple[Source, ...]
    answer: str

    def encoded(self, template: Template, *, context: int) -> Encoded:
        """Return the ids of prompt and answer, at most `context`; loss counts on the answer."""
        told = Conversation((*self.turns, Turn(ASSISTANT, self.answer)))
        whole = next(template.encode_all([told]))
        answer = _last_answer(whole)[: max(1, context // 2)]
        prompt, _ = grounded_prompt(
            template, self.turns, self.sources, budget=context - len(answer)
        )
        return Encoded([*prompt.ids, *answer], [*[0] * len(prompt.ids), *[1] * len(answer)])

    def asked(self) -> Question:
        """Return the example as a validation question."""
        return Question(grounded(self.turns, self.sources), self.turns[-1].text, self.answer)


class Neighbours:
    """Finds, among the other rows, what is known about an exchange of a version."""

    def __init__(self, folder: Path, data: DataConfig, *, seed: int) -> None:
        """Open the knowledge of a version. Raises KnowledgeError where it is not whole."""
        self._knowledge = Knowledge.open(folder)
        self._data, self._seed = data, seed

    def example(self, exchange: Exchange) -> Example:
        """Return how the exchange trains: the same for the same seed, row and number."""
        chance = self._chance(exchange)
        if chance.random() < self._data.abstaining:
            other = Turn(USER, chance.choice(QUESTIONS_ELSEWHERE))
            foreign = self._foreign(other.text, chance)
            return Example(self._opened((other,)), foreign, self._data.abstention)
        equal = [exchange.answer] if chance.random() < WITHOUT_EQUAL else []
        found = list(self._found(exchange, without_answers=equal))
        chance.shuffle(found)
        return Example(self._opened(exchange.turns), tuple(found), exchange.answer)

    def question(self, exchange: Exchange) -> Example:
        """Return how the exchange is asked at serving, without its own row."""
        return Example(self._opened(exchange.turns), self._found(exchange), exchange.answer)

    def _opened(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """Return the turns behind the run's system prompt, which opens every chat too."""
        return with_system_prompt(Conversation(turns), self._data.system_prompt).turns

    def _chance(self, exchange: Exchange) -> random.Random:
        text = f"{self._seed} {exchange.row} {exchange.number}".encode()
        return random.Random(blake2b(text, digest_size=8).digest())  # noqa: S311

    def _found(
        self, exchange: Exchange, *, without_answers: Iterable[str] = ()
    ) -> tuple[Source, ...]:
        last = Asked.last(exchange.turns)
        known = last.known_in(
            self._knowledge,
            self._vectors(exchange)[: len(last.texts)],
            most=self._data.sources,
            without=Without([exchange.row], without_answers, KEPT_BACK),
        )
        return tuple(source_of(one.piece) for one in known.found)

    def _foreign(self, question: str, chance: random.Random) -> tuple[Source, ...]:
        """Return answers to other questions: such as share its words, or any."""
        if chance.random() < LIKE_SERVING:
            without = Without(splits=KEPT_BACK)
            found = self._knowledge.find(question, most=self._data.sources, without=without)
            return tuple(source_of(one.piece) for one in found)
        count = min(self._data.sources, self._knowledge.pieces)
        places = chance.sample(range(self._knowledge.pieces), count)
        pieces = [self._knowledge.piece(place) for place in places]
        return tuple(source_of(piece) for piece in pieces if piece.split == "train")

    def _vectors(self, exchange: Exchange) -> Vectors:
        """Return the question's vectors by itself and in its talk: knowledge has those of the row.

        Each is None where it has none.
        """
        if not self._knowledge.dims:
            return (None, None)
        for place in self._knowledge.places_of_rows([exchange.row]):
            piece = self._knowledge.piece(int(place))
            if piece.question == exchange.question:
                both = (False, True)
                return [self._knowledge.vector(int(place), in_talk=talk) for talk in both]
        return (None, None)


def encoded_split(
    spec: RunSpec, data: TokenSource, split: str, template: Template
) -> Iterator[Encoded]:
    """Yield the examples of a split, of at most MOST_ROWS rows that are spread over it.

    Raises TrainingError where the data come without knowledge.
    """
    neighbours = _neighbours(spec, data)
    make = neighbours.example if split == "train" else neighbours.question
    for exchange in _exchanges(data.rows[split], most=MOST_ROWS):
        yield make(exchange).encoded(template, context=spec.model.context)


def grounded_questions(spec: RunSpec, data: TokenSource, *, most: int) -> list[Question]:
    """Return a question of each of at most so many validation rows, asked as at serving."""
    neighbours = _neighbours(spec, data)
    first: dict[int, Exchange] = {}
    for exchange in _exchanges(data.rows["validation"], most=most):
        first.setdefault(exchange.row, exchange)
    return [neighbours.question(exchange).asked() for exchange in first.values()]


def _neighbours(spec: RunSpec, data: TokenSource) -> Neighbours:
    if data.knowledge is None:
        raise TrainingError(
            "The knowledge of this version is not built yet, and the run is to learn with it."
            " Wait until it is built, or train without known answers."
        )
    try:
        return Neighbours(data.knowledge, spec.data, seed=spec.train.seed)
    except KnowledgeError as error:
        raise TrainingError(str(error)) from error


def _exchanges(rows: Iterable[Row], *, most: int) -> Iterator[Exchange]:
    """Yield the exchanges of at most so many rows, spread by what their text hashes to."""
    hashed = ((talk.row_hash(), row) for row, talk in rows if not talk.is_passage)
    chosen = {row for _, row in nsmallest(most, hashed)}
    for row, talk in rows:
        if row in chosen:
            yield from exchanges_of(row, talk)


def exchanges_of(row: int, conversation: Conversation) -> Iterator[Exchange]:
    """Yield the exchanges of a conversation that train, at most MOST_EXCHANGES, evenly spread."""
    turns = conversation.turns
    places = [
        place
        for place, turn in enumerate(turns)
        if turn.role == ASSISTANT and turn.is_learnt and place and turns[place - 1].role == USER
    ]
    for number, place in spread(list(enumerate(places)), MOST_EXCHANGES):
        before = tuple(turn for turn in turns[: place - 1] if turn.role != SYSTEM)
        question, answer = turns[place - 1].text.strip(), turns[place].text.strip()
        if question and answer:
            yield Exchange(row, number, before[-HISTORY_TURNS:], question, answer)


def _last_answer(encoded: Encoded) -> list[int]:
    """Return the ids of the last answer, what ends it included."""
    end = len(encoded.answers)
    while end and not encoded.answers[end - 1]:
        end -= 1
    start = end
    while start and encoded.answers[start - 1]:
        start -= 1
    return encoded.ids[start:end]
