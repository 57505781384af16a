"""The judge that is a model of a provider: asked pair by pair, and believed only where it counts.

What it replies is read by us: three numbers, or the pair stays unscored. Neither its own verdict
nor what the text of the pair asks for decides.
"""

from __future__ import annotations

import time
from pathlib import Path

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.offline import NO_ANSWER, NOTHING_TO_COMPARE, Judged
from datasets_app.corpus.judging.prompt import MOST_TOKENS, SCHEMA, TEMPERATURE, judge_messages
from datasets_app.corpus.judging.replies import UnscoredError, read_reply
from datasets_app.corpus.providers.provider import ProviderError, Reply, Wanted
from datasets_app.jobs.offline_judge import OfflineJudge
from datasets_app.models import Provider, Scoring
from datasets_app.selectors.grounds import Ground
from datasets_app.selectors.scorings import Rows
from datasets_app.services import providers
from otto_web.lib.work.keeper import Lease

LOOK_SECONDS = 0.2
SPENT = "The budget of “{name}” is used up. What is scored stays; raise it and go on."


class SilentError(CorpusError):
    """The provider gave no reply and may be asked again, after `pause_seconds` if it said so."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.pause_seconds = error.pause_seconds


class AskedJudge:
    """Asks for one pair at a time, so that a worker that is killed loses one question."""

    at_once = 1

    def __init__(self, order: Scoring, folder: Path, lease: Lease) -> None:
        provider = Provider.objects.filter(name=order.provider).first()
        if provider is None:
            raise CorpusError(f"There is no provider “{order.provider}” any more.")
        self._provider = provider
        self._address = providers.address_of(provider)
        self._model = order.model or provider.model
        self._texts = OfflineJudge(order, folder)  # finds the text that a pair came from
        self._lease = lease

    def judged(self, rows: Rows) -> list[tuple[Ground, Judged, float]]:
        """Return what the model says of each row; raises SilentError where it has to wait.

        Raises CorpusError where asking on is no use.
        """
        found = []
        for one, text in self._texts.compared_with(rows):
            begun = time.perf_counter()
            found.append((one, self._said(one, text), time.perf_counter() - begun))
        return found

    def _said(self, one: Ground, text: str) -> Judged:
        if not one.question or not one.answer:
            return Judged(None, {}, why_not=NO_ANSWER)
        if not text:
            return Judged(None, {}, why_not=NOTHING_TO_COMPARE)
        reply, why_not = self._asked(one, text)
        if reply is None:
            return Judged(None, {}, why_not=why_not)
        providers.count_tokens(self._provider, reply.tokens_in + reply.tokens_out)
        try:
            told = read_reply(reply.text)
        except UnscoredError as error:
            return Judged(None, {}, why_not=str(error), raw=reply.text)
        return Judged(
            told.scores,
            told.evidence,
            [*told.issues, *told.notes],
            told.recommendations,
            raw=reply.text,
        )

    def _asked(self, one: Ground, text: str) -> tuple[Reply | None, str]:
        """Return the reply; or None and why, where this pair alone got none."""
        if providers.is_spent(self._provider):
            raise CorpusError(SPENT.format(name=self._provider))
        wanted = Wanted(
            model=self._model,
            messages=judge_messages(one.question, one.answer, text),
            schema=SCHEMA,
            max_tokens=MOST_TOKENS,
            temperature=TEMPERATURE,
        )
        self._wait(providers.seconds_to_turn(self._provider))
        try:
            return providers.ask(self._provider, self._address, wanted), ""
        except ProviderError as error:
            if error.is_final:
                raise
            if error.again:
                raise SilentError(error) from error
            return None, str(error)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._lease.touch()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
            self._lease.touch()
