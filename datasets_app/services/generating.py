"""Pairs out of chunks: ordered, written chunk by chunk, tried again, stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.pairs.extractive import MOST_QUESTIONS
from datasets_app.corpus.pairs.recipes import Recipe, recipes_from
from datasets_app.corpus.pairs.registry import PATTERNS
from datasets_app.corpus.rules import policy
from datasets_app.models import (
    Chunk,
    ChunkSet,
    Dataset,
    GenerationItem,
    ItemState,
    Origin,
    Pair,
    PairGeneration,
    Provider,
)
from datasets_app.services.providers import count_tokens
from datasets_app.services.writing import NewRow, write_rows
from otto_web.lib import audit
from otto_web.lib.failpoints import failpoint
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, finish, give_back, order_anew, renew
from otto_web.lib.work.states import UNDER_WAY, State

MOST_ATTEMPTS = 5  # at one chunk, where the provider asks to come again
PATIENCE = 3  # chunks in a row that it gave up on: then it is away, and the rest waits
LONGEST_PAUSE = 60.0
LONGEST_KEPT = 200_000  # characters of a reply
NOTHING_MADE = "No pair was made: the chunks hold nothing that the chosen patterns ask for."
AWAY = (
    "{error} After {tries} tries each at {chunks} chunks the others were left. Continue when it "
    "answers again: what is done stays done."
)
SPENT = (
    "The budget of “{name}” is used up ({tokens:,} tokens). An admin can raise it; then continue: "
    "what is done stays done."
)


class GenerationError(CorpusError):
    """An order of pairs that cannot be."""


@dataclass(frozen=True, slots=True)
class Options:
    """How pairs are made; without a provider by the built-in generator."""

    provider: Provider | None = None
    model: str = ""
    recipes: tuple[Recipe, ...] = (Recipe(),)
    patterns: tuple[str, ...] = tuple(PATTERNS)
    questions: int = 3
    temperature: float = 0.7
    max_tokens: int = 2000
    reasoning: bool = False

    def check(self) -> None:
        """Raise GenerationError for what cannot be."""
        if not 1 <= self.questions <= MOST_QUESTIONS:
            raise GenerationError(f"Ask for 1 to {MOST_QUESTIONS} questions a chunk.")
        if self.provider and not (self.model or self.provider.model):
            raise GenerationError("Name the model that the provider should use.")
        if self.provider and not self.recipes:
            raise GenerationError("Give at least one recipe.")
        if not self.provider and not set(self.patterns) & PATTERNS.keys():
            raise GenerationError("Switch at least one pattern on.")
        if not (0 <= self.temperature <= 2 and 16 <= self.max_tokens <= 32_000):
            raise GenerationError("Temperature is 0 to 2; tokens are 16 to 32,000.")


@dataclass(frozen=True, slots=True)
class Made:
    """A pair on its way into the dataset; its place is in the document's text."""

    question: str
    answer: str
    start: int | None = None
    end: int | None = None
    is_verbatim: bool = True
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What was asked and replied for one chunk."""

    prompt: str = ""
    reply: str = ""
    tokens: int = 0
    seconds: float = 0.0
    pairs: Sequence[Made] = field(default_factory=tuple)


@transaction.atomic(durable=True)
def order_pairs(
    chunk_set: ChunkSet, options: Options, *, by: User | None, dataset: Dataset | None = None
) -> PairGeneration:
    """Order pairs of all chunks of a set; raises GenerationError for what cannot be."""
    return new_pairs(chunk_set, options, by=by, dataset=dataset)


def new_pairs(
    chunk_set: ChunkSet, options: Options, *, by: User | None, dataset: Dataset | None = None
) -> PairGeneration:
    """Write the order in the caller's transaction; raises GenerationError for what cannot be."""
    options.check()
    if not Chunk.objects.filter(document__chunk_set=chunk_set).exists():
        raise GenerationError(f"“{chunk_set}” has no chunks yet. Cut documents first.")
    recipes = options.recipes if options.provider else (Recipe(questions=options.questions),)
    order = PairGeneration.objects.create(
        chunk_set=chunk_set,
        dataset=dataset or chunk_set.dataset,
        provider=options.provider,
        model=(options.model or options.provider.model) if options.provider else "",
        recipes=[recipe.as_json() for recipe in recipes],
        patterns=[name for name in PATTERNS if name in options.patterns],
        questions=options.questions,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        reasoning=options.reasoning,
        created_by=by,
    )
    audit.record(by, "pairs.made", order, after={"by": order.by, "name": str(chunk_set)})
    hint(PairGeneration.job, order.pk)
    return order


@transaction.atomic(durable=True)
def fill(order: PairGeneration) -> None:
    """Give each chunk its turns, in the order of the documents; a second time changes nothing."""
    if order.is_filled:
        return
    renew(order)
    recipes = recipes_from(order.recipes)
    columns = (
        "generation_id, chunk_id, recipe, state, asked, achieved, attempts, prompt, reply, error, "
        "tokens"
    )
    with connection.cursor() as cursor:
        for number, recipe in enumerate(recipes):
            cursor.execute(
                f"INSERT INTO {GenerationItem._meta.db_table} ({columns}) "  # noqa: S608 - our names
                "SELECT %s, chunk.id, %s, 'queued', %s, 0, 0, '', '', '', 0 "
                f"FROM {Chunk._meta.db_table} chunk "
                "JOIN datasets_app_document document ON document.id = chunk.document_id "
                "WHERE document.chunk_set_id = %s ORDER BY document.number, chunk.number "
                "ON CONFLICT DO NOTHING",
                [order.pk, number, recipe.questions, order.chunk_set_id],
            )
    renew(order, is_filled=True, attempts=0)


def next_items(order: PairGeneration, most: int) -> list[GenerationItem]:
    """Return the turns that come next, without the texts of documents."""
    queued = order.items.filter(state=ItemState.QUEUED).select_related("chunk__document")
    queued = queued.defer("chunk__document__text", "chunk__document__places")
    return list(queued.order_by("id")[:most])


def keep_pairs(order: PairGeneration, item: GenerationItem, said: Said) -> None:
    """Write a chunk's pairs as rows and end its turn: both, or neither."""
    keep_turns(order, [(item, said)])


@transaction.atomic(durable=True)
def keep_turns(order: PairGeneration, turns: Sequence[tuple[GenerationItem, Said]]) -> None:
    """Write the pairs of some chunks as rows and end their turns: all of it, or nothing."""
    renew(order, attempts=0, refused_in_row=0)
    ended = [
        (item, said)
        for item, said in turns
        if _end_item(item, said, state=ItemState.DONE, achieved=len(said.pairs))
    ]
    if any(said.pairs for _, said in ended):
        new = _write(order, ended)
        PairGeneration.objects.filter(pk=order.pk).update(n_new=F("n_new") + new)
    if order.provider:
        count_tokens(order.provider, sum(said.tokens for _, said in turns))
    failpoint("pairs.kept")


def _write(order: PairGeneration, turns: Sequence[tuple[GenerationItem, Said]]) -> int:
    rows, by_key = [], dict[str, tuple[GenerationItem, Made]]()
    for item, said in turns:
        document = item.chunk.document
        for pair in said.pairs:
            key = _origin_key(document.sha256, pair)
            by_key.setdefault(key, (item, pair))
            rows.append(
                NewRow(
                    Conversation((Turn("user", pair.question), Turn("assistant", pair.answer))),
                    origin_key=key,
                    origin=Origin.DOCUMENT,
                    source_file_id=document.source_file_id,
                    place=item.chunk.place,
                    meta={"document": document.name, "chunk": item.chunk.chunk_id},
                )
            )
    dataset = Dataset.objects.get(pk=order.dataset_id)
    new = write_rows(dataset, rows, policy.from_json(dataset.policy))
    failpoint("pairs.written")
    ours = dataset.conversations.filter(origin_key__in=list(by_key), pair__isnull=True)
    Pair.objects.bulk_create(
        _link(pk, *by_key[key]) for pk, key in ours.values_list("pk", "origin_key")
    )
    return new


def _link(pk: int, item: GenerationItem, pair: Made) -> Pair:
    return Pair(
        conversation_id=pk,
        chunk=item.chunk,
        item=item,
        start=pair.start,
        end=pair.end,
        is_verbatim=pair.is_verbatim,
        pattern=pair.pattern,
    )


def _origin_key(sha256: str, pair: Made) -> str:
    """Return what a pair is known by: one document never gives the same twice."""
    said = (sha256, pair.question.casefold(), " ".join(pair.answer.split()))
    return hashlib.sha256("\0".join(("document", *said)).encode("utf-8", "replace")).hexdigest()


def _end_item(item: GenerationItem, said: Said, **columns: Any) -> int:
    return GenerationItem.objects.filter(pk=item.pk, state=ItemState.QUEUED).update(
        prompt=said.prompt,
        reply=said.reply[:LONGEST_KEPT],
        tokens=said.tokens,
        seconds=said.seconds,
        finished_at=Now(),
        **columns,
    )


@transaction.atomic(durable=True)
def fail_item(order: PairGeneration, item: GenerationItem, said: Said, error: str) -> None:
    """End a turn that came to nothing, with what was asked and replied; the rest goes on."""
    renew(order, attempts=0)
    _end_item(item, said, state=ItemState.FAILED, error=error)
    if order.provider:
        count_tokens(order.provider, said.tokens)


@transaction.atomic(durable=True)
def put_off(
    order: PairGeneration, item: GenerationItem, said: Said, error: str, pause: float | None
) -> float | None:
    """Note that a provider asked to come again; return how long to wait, or None to go on.

    A chunk that it refused often has failed. When it did so several times in a row it is away:
    then the order ends, and the rest of its chunks wait for a person to continue.
    """
    renew(order)
    item.attempts += 1
    GenerationItem.objects.filter(pk=item.pk).update(attempts=item.attempts)
    if item.attempts < MOST_ATTEMPTS:
        waited = 2.0**item.attempts if pause is None else pause
        return min(waited, LONGEST_PAUSE)
    _end_item(item, said, state=ItemState.FAILED, error=error)
    renew(order, refused_in_row=order.refused_in_row + 1)
    return None


def is_away(order: PairGeneration) -> bool:
    """Tell whether the provider refused so many chunks in a row that asking on is no use."""
    return order.refused_in_row >= PATIENCE


@transaction.atomic(durable=True)
def rest(order: PairGeneration, pause: float) -> None:
    """Let others have the worker until the provider may be asked again."""
    give_back(order, pause=timedelta(seconds=pause), counts=False)
    if not pause:
        hint(PairGeneration.job, order.pk)


@transaction.atomic(durable=True)
def end_pairs(order: PairGeneration, *, reason: str = "", message: str = "") -> None:
    """End an order: whole, in part, or not at all."""
    items = order.items.all()
    has_failed = items.exclude(state=ItemState.DONE).exists()
    has_made = items.filter(achieved__gt=0).exists()
    if has_made:
        state = State.PARTIAL if has_failed or reason else State.SUCCEEDED
        finish(order, state, reason=reason, message=message)
        return
    error = items.filter(state=ItemState.FAILED).exclude(error="").values_list("error", flat=True)
    words = message or error.first() or NOTHING_MADE
    finish(order, State.FAILED, reason=reason or "nothing_made", message=words)


@transaction.atomic(durable=True)
def retry_items(
    order: PairGeneration, *, by: User | None, item: GenerationItem | None = None
) -> bool:
    """Try failed turns again, or one, and go on with what waits; False while it is worked on."""
    locked = PairGeneration.objects.select_for_update().get(pk=order.pk)
    failed: QuerySet[GenerationItem] = locked.items.filter(state=ItemState.FAILED)
    if item is not None:
        failed = failed.filter(pk=item.pk)
    if locked.state in UNDER_WAY:
        return False
    columns = {"error": "", "attempts": 0, "finished_at": None, "seconds": None}
    failed.update(state=ItemState.QUEUED, **columns)
    order_anew(PairGeneration.objects.filter(pk=order.pk), refused_in_row=0)
    audit.record(by, "pairs.retried", order)
    hint(PairGeneration.job, order.pk)
    return True


@transaction.atomic(durable=True)
def stop_pairs(order: PairGeneration, *, by: User) -> bool:
    """Make no more pairs; what is made stays. False when it is over already."""
    under_way = Q(pk=order.pk, state__in=UNDER_WAY)
    if not cancel(PairGeneration.objects.filter(under_way), "stopped"):
        return False
    audit.record(by, "pairs.stopped", order)
    return True
