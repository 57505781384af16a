"""What OTTO's own API says instead: always `code`, `message` and `request_id`, as JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpResponse

from otto_web.lib.http import request_id_now

AGAIN_SECONDS = 5  # after which trying again may help
AWAY = "The database does not answer. Try again in a moment."
INVALID, NOT_FOUND, FAULT = "CONFIG_INVALID", "DATA_NOT_FOUND", "INTERNAL"
CODES = {
    400: INVALID,
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: NOT_FOUND,
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    411: "LENGTH_REQUIRED",
    413: "TOO_LARGE",
    416: "RANGE_NOT_SATISFIABLE",
    429: "RATE_LIMITED",
    500: FAULT,
    503: "UNAVAILABLE",
}


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """What every refusal of the API holds."""

    code: Annotated[str, msgspec.Meta(description="for programs, such as DATA_NOT_FOUND")]
    message: Annotated[str, msgspec.Meta(description="for people: what, where, what to do")]
    request_id: Annotated[str, msgspec.Meta(description="as in the header X-Request-ID")]
    field: Annotated[str, msgspec.Meta(description="which part of the request is wrong")] = ""


class ApiError(Exception):
    """A request that is refused: its status, a sentence, and the field that is wrong."""

    def __init__(
        self, status: int, sentence: str, *, field: str = "", code: str = "", again: int = 0
    ) -> None:
        super().__init__(sentence)
        self.status, self.field, self.again = status, field, again
        self.code = code or code_of(status)


def code_of(status: int) -> str:
    """Return the code that programs get with a status."""
    return CODES.get(status, FAULT if status >= 500 else INVALID)


def error_answer(error: ApiError) -> HttpResponse:
    """Return a refusal as its answer."""
    body = ErrorBody(error.code, str(error), request_id_now.get(), error.field)
    answer = HttpResponse(
        msgspec.json.encode(body), status=error.status, content_type="application/json"
    )
    if error.again:
        answer["Retry-After"] = str(error.again)
    if error.status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="OTTO"'
    return answer
