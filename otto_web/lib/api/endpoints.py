"""Endpoints of OTTO's own API: the signature of a function is checked, and is the document.

An endpoint is a function that takes a `Call`, what the address names, and, as it needs them, a
`query` and a `body`, each annotated by a Struct of `bodies.py`. What it returns becomes JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

import msgspec
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from otto_web.lib.access import Role, declares
from otto_web.lib.api.errors import AGAIN_SECONDS, AWAY, INVALID, ApiError, error_answer
from otto_web.lib.api.pace import Turn, pace
from otto_web.lib.models import ApiToken
from otto_web.lib.patience import DATABASE_AWAY
from otto_web.lib.tokens import Scope, TokenRefusedError, token_of

log = logging.getLogger(__name__)
MOST_BYTES = 2 * 1024 * 1024  # of a body
JSON = "application/json"
NOTHING_THERE = "There is no such thing, or you may not see it."
OURS = "Something went wrong here; the server’s log says what."

Function = Callable[..., Any]
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, by which token."""

    request: HttpRequest
    token: ApiToken

    @property
    def user(self) -> User:
        return self.token.user


@dataclass(frozen=True, slots=True)
class May:
    """Who may ask: a token with this scope, of a person of at least this role."""

    scope: Scope
    role: Role


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one method of an address does, takes and gives, and who may ask it."""

    method: str
    summary: str
    may: May
    function: Function
    status: int = 200
    media: str = JSON  # of what it gives
    refusals: tuple[type[Exception], ...] = ()  # which are a sentence for who asked: 400
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    answer: Any = None  # the type of what becomes JSON


def endpoint(
    method: str,
    summary: str,
    *,
    may: May,
    status: int = 200,
    media: str = JSON,
    refusals: tuple[type[Exception], ...] = (),
) -> Callable[[Function], Endpoint]:
    """Make an endpoint of a function; what it takes and gives is read from its annotations."""

    def decorate(function: Function) -> Endpoint:
        hints = get_type_hints(function, include_extras=True)
        return Endpoint(
            method,
            summary,
            may,
            function,
            status,
            media,
            refusals,
            hints.get("query"),
            hints.get("body"),
            hints.get("return") if media == JSON else None,
        )

    return decorate


def resource(*endpoints: Endpoint) -> View:
    """Return the view of an address: its endpoints, by their methods."""
    known = {one.method: one for one in endpoints}
    is_async = any(iscoroutinefunction(one.function) for one in endpoints)
    view: View = _view(_answer_async if is_async else _answer, known)
    view.endpoints = known  # type: ignore[attr-defined]  # the document reads them
    return declares("api")(csrf_exempt(view))


def _view(answer: Function, known: dict[str, Endpoint]) -> View:
    """Return the view as a function of its own, which decorators can mark."""
    if iscoroutinefunction(answer):

        async def answering_async(request: HttpRequest, **names: Any) -> HttpResponseBase:
            found: HttpResponseBase = await answer(known, request, names)
            return found

        return answering_async  # type: ignore[return-value]  # Django takes both

    def answering(request: HttpRequest, **names: Any) -> HttpResponseBase:
        found: HttpResponseBase = answer(known, request, names)
        return found

    return answering


def _answer(
    known: dict[str, Endpoint], request: HttpRequest, names: dict[str, Any]
) -> HttpResponseBase:
    turn: Turn | None = None
    refusals: tuple[type[Exception], ...] = ()
    try:
        asked = _endpoint(known, request)
        refusals = asked.refusals
        call, turn = _admitted(asked, request)
        answer = _as_answer(asked, asked.function(call, **names, **_given(asked, request)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the answer is JSON
        answer = refused(error, refusals)
    return _with_pace(answer, turn)


async def _answer_async(
    known: dict[str, Endpoint], request: HttpRequest, names: dict[str, Any]
) -> HttpResponseBase:
    refusals: tuple[type[Exception], ...] = ()
    turn: Turn | None = None
    try:
        asked = _endpoint(known, request)
        refusals = asked.refusals
        call, turn = await sync_to_async(_admitted)(asked, request)
        answer: HttpResponseBase = await asked.function(call, **names, **_given(asked, request))
    except Exception as error:  # noqa: BLE001 - whatever it was, the answer is JSON
        answer = refused(error, refusals)
    return _with_pace(answer, turn)


def _endpoint(known: dict[str, Endpoint], request: HttpRequest) -> Endpoint:
    method = "GET" if request.method == "HEAD" else str(request.method)
    if method not in known:
        ways = ", ".join(known)
        raise ApiError(405, f"{method[:20]} means nothing here; ask by {ways}.")
    return known[method]


def _admitted(asked: Endpoint, request: HttpRequest) -> tuple[Call, Turn]:
    """Return who asks. Raises TokenRefusedError, ApiError where it asks too often."""
    token = token_of(request, asked.may.scope, role=asked.may.role)
    turn = pace.take(token.pk, per_minute=settings.OTTO_API_PER_MINUTE)
    if not turn.is_granted:
        sentence = f"This token may ask {turn.limit:,} times a minute. Wait {turn.seconds} s."
        raise ApiError(429, sentence, again=turn.seconds)
    request.user = token.user
    return Call(request, token), turn


def _given(asked: Endpoint, request: HttpRequest) -> dict[str, Any]:
    """Return the checked query and body. Raises ApiError with the field that is wrong."""
    given: dict[str, Any] = {}
    if asked.query is not None:
        fields = [one.encode_name for one in msgspec.structs.fields(asked.query)]
        sent = {name: request.GET.get(name) for name in fields if name in request.GET}
        sent |= {name: "" for name in request.GET if name not in fields}
        given["query"] = _checked(partial(msgspec.convert, sent, asked.query, strict=False))
    if asked.body is not None:
        raw = _bytes(request) or b"{}"
        given["body"] = _checked(partial(msgspec.json.decode, raw, type=asked.body))
    return given


def _bytes(request: HttpRequest) -> bytes:
    too_large = ApiError(413, f"A request has at most {MOST_BYTES / 2**20:.0f} MiB.")
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise too_large from error
    if len(body) > MOST_BYTES:
        raise too_large
    return body


def _checked(read: Callable[[], Any]) -> Any:
    try:
        found = read()
    except msgspec.ValidationError as error:
        field, sentence = _explained(str(error))
        raise ApiError(400, sentence, field=field) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApiError(400, "The body is no JSON.") from error
    for name, value in msgspec.structs.asdict(found).items():
        if _holds_nul(value):
            raise ApiError(400, f"“{name}” holds a character that cannot be stored.", field=name)
    return found


def _explained(told: str) -> tuple[str, str]:
    """Return the field that is wrong, and a sentence, from what the library says."""
    what, _, where = told.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    if " unknown field `" in what or " missing required field `" in what:
        name = what.rpartition(" field `")[2].rstrip("`")[:100]
        where = f"{where}.{name}" if where else name
        said = "is not known here" if " unknown " in what else "is missing"
        return where, f"The field “{where}” {said}."
    sentence = what.replace("`", "").replace("Expected ", "expected ", 1)
    return where, f"“{where}”: {sentence}." if where else f"{what.replace('`', '')}."


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(_holds_nul(one) for one in value)


def _as_answer(asked: Endpoint, found: Any) -> HttpResponseBase:
    if isinstance(found, HttpResponseBase):
        return found
    return HttpResponse(msgspec.json.encode(found), status=asked.status, content_type=JSON)


def _with_pace(answer: HttpResponseBase, turn: Turn | None) -> HttpResponseBase:
    if turn is not None:
        answer["X-RateLimit-Limit-Requests"] = str(turn.limit)
        answer["X-RateLimit-Remaining-Requests"] = str(turn.remaining)
    answer["Cache-Control"] = "no-store"
    return answer


def refused(error: Exception, refusals: tuple[type[Exception], ...] = ()) -> HttpResponse:
    """Return what is said of whatever went wrong."""
    if isinstance(error, ApiError):
        found = error
    elif isinstance(error, TokenRefusedError):
        found = ApiError(error.status, str(error), again=error.retry_after)
    elif isinstance(error, Http404):
        found = ApiError(404, NOTHING_THERE)
    elif isinstance(error, refusals):
        found = ApiError(400, str(error), field=getattr(error, "field", ""), code=INVALID)
    elif isinstance(error, DATABASE_AWAY):
        found = ApiError(503, AWAY, again=AGAIN_SECONDS)
    else:
        log.error("a request of the API failed", exc_info=error)
        found = ApiError(500, OURS)
    return error_answer(found)
