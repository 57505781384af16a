"""What a quality rule is: its names, its limits, its words for people, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from datasets_app.corpus.conversation import Conversation
from datasets_app.corpus.rules.finding import Severity, Verdict
from datasets_app.corpus.rules.numbers import Numbers

Limits = Mapping[str, float]
TextCheck = Callable[[Numbers, Limits], Verdict | None]
ReplyCheck = Callable[[Numbers, Numbers, Limits], Verdict | None]  # the answer, its question
ConversationCheck = Callable[[Conversation, Limits], Iterator[tuple[int, Verdict]]]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What people may set a limit to. Narrower bounds refuse policies stored under wider ones."""

    default: float
    least: float = 0
    most: float = 999_999


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do when more than this share of the rows is set aside: for one row, for many."""

    above: float
    one: str
    many: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One quality rule, whole. Whatever the app says or does about it is read here.

    `name` is stored in policies, findings and reasons and never changes; raise `version` when
    verdicts would change. `good` and `bad` are a question and an answer each. `earlier` is its
    key in the reports of the earlier system, which other programs read; None for one of ours.

    In a dialogue whose other answers are good, one odd turn leads to `odd_turn` at most.

    The functions say what it looks at; each is called only with what its name says.
    """

    name: str
    label: str
    sentence: str
    good: tuple[str, str]
    bad: tuple[str, str]
    severity: Severity
    version: int = 1
    odd_turn: Severity = "R"
    on: bool = True
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    recommendation: Recommendation | None = None
    earlier: str | None = None

    of_conversation: ConversationCheck | None = None
    of_question: TextCheck | None = None  # a turn of the user with words
    of_empty: TextCheck | None = None  # an answer or passage without a letter or a digit
    of_answer: TextCheck | None = None  # any other answer
    of_reply: ReplyCheck | None = None  # the same, with the question before it
    of_passage: TextCheck | None = None  # a piece of a document, cut by us
