"""Why a run became as it is, and what to do next: causes in words, the most telling one first.

Pure, from what every run leaves: figures, curves, answers, replies. All limits are chosen by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from training_app.lm.answer_test import AnswerFigures
from training_app.lm.bands import BANDS, FLATTERING, LossCurve
from training_app.lm.schedule import FEWEST_UPDATES

Tone = Literal["good", "warn", "bad"]
Door = Literal["", "rows", "repeats", "versions", "columns", "gentler", "deploy", "new run"]

SCRATCH_TOKENS = 100_000  # fewer make no model from nothing
FEW_ROWS = 50  # fewer teach a model that has learned already no more than a tone
BY_HEART = 0.35  # training loss below this share of validation's: the text itself is remembered
MANY_PASSES = 10.0
MARKED, TABULAR = 0.15, 0.3  # shares of texts from which it is no accident
FLUENT = BANDS[1][0]  # perplexity below which it writes like its data
BROKEN = 1.5  # the last loss above the first so many times
# Signs of other templates; a text that holds one was written for another model or program.
_MARKS = re.compile(
    r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|#{2,3} (?:Instruction|"
    r"Response|Input):|^(?:User|Human|Assistant|System|AI|Bot): ",
    re.MULTILINE,
)
_CELLS = re.compile(r"[|\t;]|, (?=[\w ]{1,30}[:=])")
_SENTENCE_END = re.compile(r"[.!?…。！？]")


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a run that is over."""

    is_from_scratch: bool = True
    train_rows: int = 1000
    train_tokens: int = 1_000_000
    updates: int = 1000
    passes: float = 3.0
    has_diverged: bool = False
    train_loss: float | None = None  # smoothed, at the end
    curve: LossCurve = field(default_factory=lambda: LossCurve([]))  # of validation
    leaked: float | None = None  # share of validation text
    perplexity: float | None = None  # for tokens as large as GPT-2's
    answers: AnswerFigures = field(default_factory=AnswerFigures)
    replies: Sequence[str] = ()
    references: Sequence[str] = ()  # real answers of the same data
    knows: bool = False  # it is given known answers to answer from


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause in a sentence or two, what to do next, and the door to where that is done."""

    name: str
    tone: Tone
    cause: str
    step: str
    door: Door = ""


def findings(ended: Ended) -> list[Finding]:
    """Return what explains the run, most telling first; of a good one, that it is good."""
    found = [finding for name in _ORDER if (finding := _RULES[name](ended)) is not None]
    if found and found[0].name == "diverged":
        return found[:1]  # whatever else is seen comes of it
    names = {finding.name for finding in found}
    hidden = {weaker for name in names for weaker in _EXPLAINS.get(name, ())}
    return [finding for finding in found if finding.name not in hidden] or list(_good(ended))


def _diverged(ended: Ended) -> Finding | None:
    losses = [loss for _, loss in ended.curve.losses]
    is_broken = (
        len(losses) > 2 and not losses[-1] < BROKEN * losses[0]
    )  # also where it is no number
    if not (ended.has_diverged or is_broken):
        return None
    return Finding(
        "diverged",
        "bad",
        "The loss broke: updates were so large that the network lost what it had learned.",
        "Start again from the best checkpoint with a tenth of the learning rate. If it breaks"
        " again, lengthen the warm-up.",
        "gentler",
    )


def _leakage(ended: Ended) -> Finding | None:
    if ended.leaked is None or ended.leaked < FLATTERING:
        return None
    return Finding(
        "leakage",
        "bad",
        f"{100 * ended.leaked:.0f} % of the validation text stands word for word in the training"
        " text: the figures show what it has seen, not what it can do.",
        "Decide the repeats of the dataset, freeze a new version and train on that; until then"
        " believe none of these figures.",
        "repeats",
    )


def _template(ended: Ended) -> Finding | None:
    texts = (*ended.replies, *ended.references)
    marked = [mark[0].strip() for text in texts if (mark := _MARKS.search(text))]
    if not texts or len(marked) / len(texts) < MARKED:
        return None
    return Finding(
        "wrong template",
        "bad",
        f"Signs of another chat template (“{max(set(marked), key=marked.count)}”) stand in"
        f" {len(marked)} of {len(texts)} texts: the model learns to write them, and does not learn"
        " where a turn ends.",
        "Take the signs out of the conversations, or upload the file again as what it is, then"
        " freeze and train again. OTTO adds the template by itself.",
        "rows",
    )


def _tables(ended: Ended) -> Finding | None:
    texts = [text for text in ended.references if text.strip()]
    rows = [text for text in texts if _is_row(text)]
    if not texts or len(rows) / len(texts) < TABULAR:
        return None
    return Finding(
        "tables as prose",
        "bad",
        f"{len(rows)} of {len(texts)} answers are rows of a table, with cells instead of sentences:"
        " from them a model learns separators, not answers.",
        "Choose on the file's page which column is the question and which the answer, or give each"
        " row a sentence of its own; then freeze and train again.",
        "columns",
    )


def _is_row(text: str) -> bool:
    """Tell whether a text is cells more than it is sentences."""
    cells = len(_CELLS.findall(text))
    return cells >= 3 and cells > 2 * len(_SENTENCE_END.findall(text))


def _by_heart(ended: Ended) -> Finding | None:
    best = min((loss for _, loss in ended.curve.losses), default=None)
    if ended.train_loss is None or best is None or ended.train_loss >= BY_HEART * best:
        return None
    return Finding(
        "memorised",
        "bad",
        f"It knows its training text by heart: loss {ended.train_loss:.2f} there,"
        f" {best:.2f} on text that it has not seen, after {ended.passes:,.0f} passes.",
        f"Add conversations, or train for fewer passes ({_fewer(ended.passes)}); a smaller model"
        " remembers less too.",
        "new run",
    )


def _fewer(passes: float) -> str:
    return f"{max(1.0, passes / 4):,.0f} or so"


def _overfits(ended: Ended) -> Finding | None:
    if not ended.curve.is_overfitting:
        return None
    best_step, _ = ended.curve.best
    return Finding(
        "overfit",
        "warn",
        f"From update {best_step:,} on it got better on its training text and worse on text that it"
        " has not seen: it overfits. The best state is kept.",
        "Add conversations, or end near that update; a little dropout (0.1) helps as well.",
        "new run",
    )


def _little_data(ended: Ended) -> Finding | None:
    if ended.is_from_scratch and ended.train_tokens < SCRATCH_TOKENS:
        return Finding(
            "too little data",
            "bad",
            f"Too little data: about {ended.train_tokens:,} tokens, and a model from nothing learns"
            " a language from 100,000 or more.",
            "Add conversations, or fine-tune a base model, which knows the language already.",
            "new run",
        )
    if not ended.is_from_scratch and ended.train_rows < FEW_ROWS:
        return Finding(
            "too little data",
            "warn",
            f"Too little data: {ended.train_rows} conversations give a model a tone, no knowledge.",
            f"Add conversations: from {FEW_ROWS} on it shows, a few hundred make a useful model.",
            "rows",
        )
    return None


def _flat(ended: Ended) -> Finding | None:
    losses = ended.curve.losses
    if len(losses) < 2:
        return None
    first, best = losses[0][1], min(loss for _, loss in losses)
    if first - best >= 0.05 * first:
        return None
    if ended.updates < FEWEST_UPDATES:
        return Finding(
            "flat",
            "bad",
            f"It learned almost nothing: {ended.updates:,} updates are too few to see an effect.",
            f"Train for {FEWEST_UPDATES} updates or more.",
            "new run",
        )
    is_worse = losses[-1][1] > 1.02 * first
    return Finding(
        "flat",
        "bad",
        "It learned almost nothing: the loss on text that it has not seen stayed flat over"
        f" {ended.updates:,} updates.",
        "Lower the learning rate: it got worse than what it began with."
        if is_worse
        else "Raise the learning rate threefold. If it stays flat, read some rows: what cannot be"
        " predicted cannot be learned.",
        "new run",
    )


def _facts(ended: Ended) -> Finding | None:
    answers = ended.answers
    is_fluent = ended.perplexity is not None and ended.perplexity < FLUENT
    if not answers.total or answers.standing == "good" or not is_fluent:
        return None
    is_fair = answers.standing == "fair"
    known = "Look at which questions it misses and add their answers to the data."
    if not ended.knows:
        known = (
            "More minutes do not mend that. Deploy it with the known answers of the version, from"
            " which it then answers, or fine-tune a base model with them."
        )
    return Finding(
        "wrong facts",
        "warn" if is_fair else "bad",
        f"It writes in the style of your data, but"
        f" {'not all of its facts are right' if is_fair else 'its facts are wrong'}:"
        f" {answers.right:,} of {answers.total:,} answers have those of the real one,"
        f" {answers.contradicting:,} contradict it.",
        known,
        "deploy",
    )


def _gibberish(ended: Ended) -> Finding | None:
    if ended.perplexity is None or ended.perplexity < BANDS[2][0]:
        return None
    return Finding(
        "gibberish",
        "bad",
        "It writes mostly gibberish: it has not seen enough text, or not for long enough.",
        "Train longer, add data, or fine-tune a base model.",
        "new run",
    )


def _good(ended: Ended) -> Iterator[Finding]:
    if ended.answers.standing == "good":
        yield Finding(
            "good",
            "good",
            f"Good: {ended.answers.right:,} of {ended.answers.total:,} questions that it has not"
            " seen are answered with the facts of the real answer, and nothing speaks against its"
            " data or its course.",
            "Try it on questions of your own, then deploy it.",
            "deploy",
        )


_RULES: dict[str, Callable[[Ended], Finding | None]] = {
    "diverged": _diverged,
    "leakage": _leakage,
    "wrong template": _template,
    "tables as prose": _tables,
    "too little data": _little_data,
    "memorised": _by_heart,
    "overfit": _overfits,
    "flat": _flat,
    "gibberish": _gibberish,
    "wrong facts": _facts,
}
_ORDER = tuple(_RULES)
_EXPLAINS = {  # what a cause explains needs no words of its own
    "memorised": ("overfit",),
    "flat": ("gibberish", "wrong facts"),
    "wrong template": ("wrong facts", "gibberish"),
    "tables as prose": ("wrong facts", "gibberish"),
    "too little data": ("gibberish",),
}
