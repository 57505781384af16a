"""What the engine asks of the scheduler and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from chat_app.serving.errors import ServingError
from chat_app.serving.graph_files import Precision
from chat_app.serving.limits import NEW_TOKENS
from chat_app.serving.sampling import SEED_LIMIT, Sampling
from datasets_app.corpus.conversation import Turn

if TYPE_CHECKING:
    from training_app.lm.grounding import Source  # it brings the tokenizers along

# quoted, abstained: no words of a model, since a known answer was given, or nothing is near
FinishReason = Literal["stop", "length", "quoted", "abstained", "stopped", "interrupted", "failed"]


class Urgency(IntEnum):
    """Who goes first when all slots are taken; waiting makes every request more urgent."""

    INTERACTIVE = 0
    API = 1
    ARENA = 2
    EVALUATION = 3


class ModelKey(NamedTuple):
    """Which serving file: the model's folder, the precision, the hash of what was checked."""

    folder: Path
    precision: Precision = "fp32"
    sha256: str = ""  # "": a file that is yet to be checked


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to write. Give exactly one of turns, text and prompt_ids as the prompt.

    Raises ServingError for an answer of no tokens and for a seed outside 0..SEED_LIMIT - 1.
    """

    gen: str
    user: str
    model: ModelKey
    turns: Sequence[Turn] = ()
    sources: Sequence[Source] = ()  # known answers beside the turns, the nearest first
    text: str | None = None  # plain text that the model goes on with
    prompt_ids: Sequence[int] = ()  # a prompt as it was read before: exact replay
    given_ids: Sequence[int] = ()  # how the answer begins: taken, not drawn
    given_text: str = ""  # the same in words, read where there are no ids
    sampling: Sampling = field(default_factory=Sampling)
    seed: int | None = None  # chosen, and told in Finished, when absent
    stop: Sequence[str] = ()
    new_tokens: int = NEW_TOKENS.usual
    copies_numbers: bool = False  # only such as its prompt holds
    not_copied: frozenset[str] = frozenset()  # codes among them that it may not write
    urgency: Urgency = Urgency.INTERACTIVE
    is_whole: bool = False  # refused rather than read without its oldest turns or its beginning

    def __post_init__(self) -> None:
        if self.new_tokens < 1:
            raise ServingError(f"An answer needs room for a token; it was {self.new_tokens}.")
        if self.seed is not None and not 0 <= self.seed < SEED_LIMIT:
            raise ServingError(f"The seed must be a whole number from 0 to {SEED_LIMIT - 1}.")


@dataclass(frozen=True, slots=True)
class Timings:
    """How long one answer took, in milliseconds, and how fast it was written."""

    queue_ms: float = 0.0  # until a row was free
    prompt_ms: float = 0.0  # from then until the prompt was read
    first_token_ms: float = 0.0  # from the request until the first token
    tokens_per_second: float = 0.0  # after the first token


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is about to be read; these turns did not fit into it."""

    gen: str
    prompt_tokens: int
    dropped_turns: int
    cut_tokens: int = 0  # taken from the front of the newest turn
    cached_tokens: int = 0  # of the prompt, known from an earlier prompt of the same user
    sources: int = 0  # of the nearest ones, how many stand in the prompt


@dataclass(frozen=True, slots=True)
class Delta:
    """More of the answer; all deltas together are its text, given beginning included."""

    gen: str
    text: str
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a generation; the token that ended the answer is not in answer_ids."""

    gen: str
    finish_reason: FinishReason
    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    timings: Timings
    seed: int
    reason: str = ""  # the sentence of a failure
    code: str = ""  # its kind, of `errors`
    prompt_text: str = ""  # what prompt_ids say, control tokens included


Event = Started | Delta | Finished
