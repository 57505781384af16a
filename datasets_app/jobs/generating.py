"""Makes pairs of chunks, one after the other; each turn is whole in the database or not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.pairs.extractive import Extract, extract, of_chunk, read_page
from datasets_app.corpus.pairs.recipes import SCHEMA, Recipe, recipes_from
from datasets_app.corpus.pairs.replies import ReplyError, pairs_of
from datasets_app.corpus.pairs.support import nearest_place, place_of
from datasets_app.corpus.providers.provider import Address, ProviderError, Reply, Wanted
from datasets_app.models import Chunk, Document, GenerationItem, PairGeneration
from datasets_app.selectors.grounds import Sources
from datasets_app.services import generating, providers
from datasets_app.services.generating import Made, Said
from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way, others_wait

TURN_SECONDS = 20.0  # then others may have the worker
AT_ONCE = 25  # turns that are written in one transaction: a disk syncs once for all of them
LOOK_SECONDS = 0.2
CUT = "The reply was cut at {tokens:,} tokens. Allow more, or ask for fewer questions."


def generate_pairs(generation_id: UUID | str, *, goes_on: bool = True) -> None:
    """Make pairs for a while, then let others have the worker; harmless when nothing is ordered.

    While nobody waits for the worker the built-in generator `goes_on`: it has read its document.
    """
    end = time.monotonic() + TURN_SECONDS

    def work(order: PairGeneration, lease: Lease) -> None:
        if order.dataset.deleted_at or order.chunk_set.dataset.deleted_at:
            raise CorpusError("The dataset was deleted before pairs could be made.")
        generating.fill(order)
        failpoint("pairs.filled")
        if order.provider is None:
            _extract_all(order, lease, end, goes_on=goes_on)
        else:
            _ask_all(order, lease, end)

    perform(PairGeneration, generation_id, work, refusals=(CorpusError,))


# The built-in generator


@dataclass(slots=True)
class Pages:
    """The pairs of the document whose chunks have their turn; one document is held at a time."""

    patterns: Sequence[str]
    document: int = 0
    found: list[Extract] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)  # of each chunk, by its number

    def of(self, chunk: Chunk) -> tuple[list[Extract], int]:
        """Return the pairs of a chunk's document, and where the chunk before it ends."""
        if chunk.document_id != self.document:
            document = Document.objects.only("text", "headings", "name").get(pk=chunk.document_id)
            headings = [(place, level) for place, level, _ in document.headings]
            title = document.stem.replace("-", " ").replace("_", " ")
            self.found = extract(read_page(document.text, title, headings), self.patterns)
            self.ends = dict(document.chunks.values_list("number", "end"))
            self.document = chunk.document_id
        return self.found, self.ends.get(chunk.number - 1, 0)


def _extract_all(order: PairGeneration, lease: Lease, end: float, *, goes_on: bool) -> None:
    pages, sources = Pages(order.patterns), Sources()
    while items := generating.next_items(order, AT_ONCE):
        turns = []
        for item in items:
            lease.touch()
            turns.append((item, _brought(sources, item) if item.reply else _extracted(pages, item)))
        generating.keep_turns(order, turns)
        if time.monotonic() > end:
            if not goes_on or others_wait(order):
                give_way(order)
                return
            end = time.monotonic() + TURN_SECONDS
    generating.end_pairs(order)


def _extracted(pages: Pages, item: GenerationItem) -> Said:
    began, chunk = time.monotonic(), item.chunk
    found, before = pages.of(chunk)
    own = of_chunk(found, chunk.start, chunk.end, before=before, most=item.asked)
    pairs = tuple(
        Made(one.question, one.answer, one.start, one.end, pattern=one.pattern) for one in own
    )
    return Said(pairs=pairs, seconds=time.monotonic() - began)


def _brought(sources: Sources, item: GenerationItem) -> Said:
    """Return the pairs of a file that was brought: they stand in the item as its reply."""
    content = sources.words(item.chunk)
    found = pairs_of(item.reply, item.asked)
    pairs = [_placed(item.chunk, content, *pair) for pair in found]
    return Said(reply=item.reply, pairs=pairs)


# Providers of language models


@dataclass(slots=True)
class Asked:
    """A question that is under way in a thread."""

    item: GenerationItem
    wanted: Wanted
    content: str
    began: float = field(default_factory=time.monotonic)

    @property
    def prompt(self) -> str:
        return "\n\n".join(f"{one['role']}:\n{one['content']}" for one in self.wanted.messages)

    def said(self, reply: Reply | None = None, pairs: Sequence[Made] = ()) -> Said:
        tokens = reply.tokens_in + reply.tokens_out if reply else 0
        text = reply.text if reply else ""
        return Said(self.prompt, text, tokens, time.monotonic() - self.began, pairs)


def _ask_all(order: PairGeneration, lease: Lease, end: float) -> None:
    provider = order.provider
    assert provider is not None  # noqa: S101 - for the type checker
    address = providers.address_of(provider)
    recipes, sources = recipes_from(order.recipes), Sources()
    with ThreadPoolExecutor(provider.concurrency, thread_name_prefix="provider") as threads:
        while items := generating.next_items(order, provider.concurrency):
            if providers.is_spent(provider):
                message = generating.SPENT.format(name=provider, tokens=provider.budget_tokens or 0)
                generating.end_pairs(order, reason="budget", message=message)
                return
            asked = [_asked(order, item, recipes[item.recipe], sources) for item in items]
            pause = _ask_some(order, lease, threads, (address, asked))
            if generating.is_away(order):
                _give_up(order)
                return
            if pause is not None or time.monotonic() > end:
                generating.rest(order, pause or 0.0)
                return
    generating.end_pairs(order)


def _give_up(order: PairGeneration) -> None:
    last = order.items.filter(attempts__gte=generating.MOST_ATTEMPTS).order_by("-finished_at")
    error = last.values_list("error", flat=True).first() or ""
    message = generating.AWAY.format(
        error=error, tries=generating.MOST_ATTEMPTS, chunks=generating.PATIENCE
    )
    generating.end_pairs(order, reason="provider_away", message=message)


def _asked(order: PairGeneration, item: GenerationItem, recipe: Recipe, sources: Sources) -> Asked:
    chunk = item.chunk
    content = sources.words(chunk)
    wanted = Wanted(
        model=order.model,
        messages=recipe.messages(content, chunk.headings),
        schema=SCHEMA,
        max_tokens=order.max_tokens,
        temperature=order.temperature,
        reasoning=order.reasoning,
    )
    return Asked(item, wanted, content)


def _ask_some(
    order: PairGeneration,
    lease: Lease,
    threads: ThreadPoolExecutor,
    work: tuple[Address, list[Asked]],
) -> float | None:
    """Ask for some chunks at once; return how long the provider wants to be left alone."""
    address, asked = work
    provider = order.provider
    assert provider is not None  # noqa: S101 - for the type checker
    ask: Callable[..., Reply] = providers.ask
    under_way = []
    for one in asked:
        _wait(lease, providers.seconds_to_turn(provider))
        one.began = time.monotonic()
        under_way.append((one, threads.submit(ask, provider, address, one.wanted)))
    pauses = [
        pause
        for one, future in _as_they_come(under_way, lease)
        if (pause := _settle(order, one, future)) is not None
    ]
    return max(pauses, default=None)


def _as_they_come(
    under_way: list[tuple[Asked, Future[Reply]]], lease: Lease
) -> Iterator[tuple[Asked, Future[Reply]]]:
    left = list(under_way)
    while left:
        lease.touch()
        done = [one for one in left if one[1].done()]
        for one in done:
            yield one
            left.remove(one)
        if not done:
            time.sleep(LOOK_SECONDS / 10)


def _settle(order: PairGeneration, one: Asked, future: Future[Reply]) -> float | None:
    """Write what became of one question; return a pause that the provider wants."""
    try:
        reply = future.result()
    except ProviderError as error:
        if error.is_final:
            generating.fail_item(order, one.item, one.said(), str(error))
            raise
        if error.again:
            said, words = one.said(), str(error)
            return generating.put_off(order, one.item, said, words, error.pause_seconds)
        generating.fail_item(order, one.item, one.said(), str(error))
        return None
    try:
        found = pairs_of(reply.text, one.item.asked)
    except ReplyError as error:
        words = CUT.format(tokens=order.max_tokens) if reply.finish in CUT_OFF else str(error)
        generating.fail_item(order, one.item, one.said(reply), words)
        return None
    pairs = [_placed(one.item.chunk, one.content, *pair) for pair in found]
    generating.keep_pairs(order, one.item, one.said(reply, pairs))
    return None


CUT_OFF = frozenset(("length", "max_tokens"))


def _placed(chunk: Chunk, content: str, question: str, answer: str) -> Made:
    """Return a pair with the place of its answer: where it stands, or where most of it does."""
    place = place_of(answer, content)
    is_verbatim = place is not None
    place = place or nearest_place(answer, content)
    if place is None:
        return Made(question, answer, is_verbatim=False)
    return Made(question, answer, chunk.start + place[0], chunk.start + place[1], is_verbatim)


def _wait(lease: Lease, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        lease.touch()
        time.sleep(min(left, LOOK_SECONDS))
