"""The OpenAI-compatible API: the same rows, queue and engine as the chats of the pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from chat_app.consumers.answer_stream import Piece, Sign, TokenEndedError, answer_of
from chat_app.forms.api_requests import (
    Asked,
    BadRequestError,
    body_of,
    chat_asked,
    completion_asked,
)
from chat_app.models import Deployment, Generation, Kind
from chat_app.selectors.chats import has_engine
from chat_app.selectors.exchanges import Outcome, deployments_for
from chat_app.services.chats import request_stop
from chat_app.services.exchanges import begin
from chat_app.serving.errors import BusyError, ServingError
from chat_app.views.api_replies import (
    Reply,
    error_body,
    event,
    failure_of,
    model_body,
    refusal,
)
from otto_web.lib.access import declares
from otto_web.lib.api.errors import AGAIN_SECONDS, AWAY
from otto_web.lib.models import ApiToken
from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.tokens import Scope, TokenRefusedError, deployments_of, token_of

log = logging.getLogger(__name__)
MOST_BYTES = 2 * 1024 * 1024  # of a body
LOOKS_BEFORE_STREAM = 6  # some seconds each: who stands longer in the queue sees an open stream
ENDED = "The token was revoked, or its person may do less now."
CODES = {401: "invalid_api_key", 403: "insufficient_permissions", 429: "rate_limit_exceeded"}

Answer = Callable[..., Any]


class RefusedError(Exception):
    """What is answered instead."""

    def __init__(self, answer: JsonResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def api_view(method: str) -> Callable[[Answer], Answer]:
    """Let a view answer the holder of a token for this method; all else is JSON as well."""

    def decorate(view: Answer) -> Answer:
        @csrf_exempt
        @declares("api")
        @wraps(view)
        async def answering(request: HttpRequest, **names: str) -> HttpResponseBase:
            answer: HttpResponseBase
            if request.method != method:
                answer = refusal(405, f"Ask by {method}.", code="method_not_allowed")
                answer["Allow"] = method
                return answer
            try:
                token = await sync_to_async(token_of)(request, Scope.ANSWERS)
                answer = await view(request, token, **names)
            except Exception as error:  # noqa: BLE001 - whatever it was, the answer is JSON
                answer = _refused(error)
            return answer

        return answering

    return decorate


def _refused(error: Exception) -> JsonResponse:
    """Return what is said of whatever went wrong before the first word."""
    answer: JsonResponse
    if isinstance(error, RefusedError):
        answer = error.answer
    elif isinstance(error, TokenRefusedError):
        code = CODES[error.status]
        answer = refusal(error.status, str(error), code=code, again=error.retry_after)
    elif isinstance(error, TokenEndedError):
        answer = refusal(401, ENDED, code=CODES[401])
    elif isinstance(error, BadRequestError):
        answer = refusal(400, str(error), code=error.code, param=error.param)
    elif isinstance(error, BusyError):
        answer = refusal(429, str(error), code=CODES[429], again=AGAIN_SECONDS)
    elif isinstance(error, ServingError):
        answer = refusal(400, str(error), code="invalid_value")
    elif isinstance(error, DATABASE_AWAY):
        answer = refusal(503, AWAY, code="overloaded", again=AGAIN_SECONDS)
    else:
        log.error("a request of the API failed", exc_info=error)
        answer = refusal(
            500, "Something went wrong here; the server’s log says what.", code="fault"
        )
    return answer


@api_view("POST")
async def embeddings(request: HttpRequest, token: ApiToken) -> JsonResponse:
    sentence = "Vectors of texts are not offered by this API. Models here answer; none embeds."
    return refusal(404, sentence, code="model_not_found", param="model")


@csrf_exempt
@declares("api")
async def nothing_here(request: HttpRequest) -> JsonResponse:
    return refusal(404, f"There is nothing at {request.path[:200]}.", code="unknown_url")


# Models ------------------------------------------------------------------------------------------
@api_view("GET")
async def models(request: HttpRequest, token: ApiToken) -> JsonResponse:
    found = await sync_to_async(_answering)(token)
    return JsonResponse({"object": "list", "data": [model_body(one) for one in found]})


@api_view("GET")
async def one_model(request: HttpRequest, token: ApiToken, alias: str) -> JsonResponse:
    return JsonResponse(model_body(await sync_to_async(_named)(token, alias)))


def _answering(token: ApiToken) -> list[Deployment]:
    found = deployments_for(token.user, deployments_of(token))
    return [one for one in found if one.is_answering]


def _named(token: ApiToken, name: str) -> Deployment:
    """Return the deployment that a token may ask. Raises RefusedError with 404, 503."""
    found = {one.alias: one for one in deployments_for(token.user, deployments_of(token))}
    deployment = found.get(name)
    if deployment is None:
        there = ", ".join(f"“{one}”" for one in found) or "none yet"
        sentence = f"There is no model “{name[:60]}” for this token; there is {there}."
        raise RefusedError(refusal(404, sentence, code="model_not_found", param="model"))
    if not deployment.is_answering:
        sentence = f"“{name}” does not answer yet: its model is still being checked."
        raise RefusedError(refusal(503, sentence, code="model_loading", again=AGAIN_SECONDS))
    return deployment


# Answers -----------------------------------------------------------------------------------------
@api_view("POST")
async def chat_completions(request: HttpRequest, token: ApiToken) -> HttpResponseBase:
    return await _answer(token, chat_asked(_body(request)))


@api_view("POST")
async def completions(request: HttpRequest, token: ApiToken) -> HttpResponseBase:
    return await _answer(token, completion_asked(_body(request)))


def _body(request: HttpRequest) -> dict[str, Any]:
    too_large = refusal(413, f"A request has at most {MOST_BYTES / 2**20:.0f} MiB.")
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise RefusedError(too_large)
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise RefusedError(too_large) from error
    if len(body) > MOST_BYTES:  # sent in chunks, with no length before them
        raise RefusedError(too_large)
    return body_of(body)


async def _answer(token: ApiToken, asked: Asked) -> HttpResponseBase:
    """Put the question, wait for the engine's first word of it, then answer whole or by stream."""
    generation = await _begun(token, asked)
    created = int(generation.created_at.timestamp())
    reply = Reply(generation.pk, asked.exchange.kind, asked.model, created)
    pieces = answer_of(generation, token)
    if not asked.is_streamed:
        async with aclosing(pieces):
            return _whole(reply, await _outcome(pieces))
    first = await _first(pieces)
    if isinstance(first, Outcome) and failure_of(first):
        await pieces.aclose()
        return _whole(reply, first)
    is_held = generation.deployment.knowledge_id is not None and reply.kind == Kind.API
    stream = _events(reply, asked, first, pieces, is_held=is_held)
    answer = StreamingHttpResponse(stream, content_type="text/event-stream")
    answer["Cache-Control"], answer["X-Accel-Buffering"] = "no-cache", "no"
    return answer


async def _begun(token: ApiToken, asked: Asked) -> Generation:
    """Put the question; where the asker hangs up meanwhile, nobody writes the answer."""
    beginning = asyncio.ensure_future(sync_to_async(_begin)(token, asked))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        await asyncio.shield(_stop_begun(beginning))
        raise


async def _stop_begun(beginning: asyncio.Future[Generation]) -> None:
    """Stop the answer once its rows are there: a thread that writes them cannot be cancelled."""
    try:
        await sync_to_async(request_stop)(await beginning)
    except Exception as error:  # noqa: BLE001 - nobody waits for it any more
        log.warning("an asker hung up while the question was put: %s", error)


def _begin(token: ApiToken, asked: Asked) -> Generation:
    deployment = _named(token, asked.model)
    if asked.exchange.kind == Kind.COMPLETION and deployment.is_quoting:
        raise BadRequestError(
            f"“{deployment}” quotes known answers; no model there goes on with a text.", "model"
        )
    if not has_engine():
        sentence = "No engine is running: the status page says what is missing."
        raise RefusedError(refusal(503, sentence, code="overloaded", again=AGAIN_SECONDS))
    return begin(deployment, asked.exchange, owner=token.user)


async def _first(pieces: AsyncGenerator[Piece, None]) -> Piece:
    """Wait until the engine has begun, so that what it refuses is answered by a status."""
    for _ in range(LOOKS_BEFORE_STREAM):
        piece = await anext(pieces)
        if piece is not Sign.WAITING:
            break
    return piece


async def _outcome(pieces: AsyncGenerator[Piece, None]) -> Outcome:
    async for piece in pieces:
        if isinstance(piece, Outcome):
            return piece
    raise ServingError("The answer ended without an end.")


def _whole(reply: Reply, outcome: Outcome) -> JsonResponse:
    if (failure := failure_of(outcome)) is not None:
        status, sentence, code = failure
        return refusal(status, sentence, code=code, again=AGAIN_SECONDS if status == 503 else 0)
    return JsonResponse(reply.whole(outcome))


async def _events(
    reply: Reply,
    asked: Asked,
    first: Piece,
    pieces: AsyncGenerator[Piece, None],
    *,
    is_held: bool,
) -> AsyncIterator[bytes]:
    """Yield the stream; one that is held back comes together once it was checked."""
    outcome: Outcome | None = None
    try:
        if reply.is_chat:
            yield event(reply.begin())
        async for piece in _from(first, pieces):
            if isinstance(piece, Outcome):
                outcome = piece
                if is_held and piece.text:
                    yield event(reply.words(piece.text))
            elif isinstance(piece, str) and piece and not is_held:
                yield event(reply.words(piece))
            else:
                yield b": ping\n\n"
        assert outcome is not None  # noqa: S101 - tells the type checker
        if (failure := failure_of(outcome)) is not None:
            status, sentence, code = failure
            yield event(error_body(status, sentence, code=code))
            return
        yield event(reply.end(outcome))
        if asked.with_usage:
            yield event(reply.usage(outcome))
        yield b"data: [DONE]\n\n"
    except TokenEndedError:
        yield event(error_body(401, ENDED, code=CODES[401]))
    except DatabaseError:
        log.exception("a stream of the API ended early")
        yield event(error_body(503, AWAY, code="overloaded"))
    finally:
        await pieces.aclose()


async def _from(first: Piece, pieces: AsyncGenerator[Piece, None]) -> AsyncIterator[Piece]:
    yield first
    if not isinstance(first, Outcome):
        async for piece in pieces:
            yield piece
