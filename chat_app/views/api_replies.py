"""Answers and refusals in the shape of OpenAI's API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import JsonResponse

from chat_app.models import Deployment, Kind
from chat_app.selectors.exchanges import Outcome
from otto_web.lib.http import request_id_now
from otto_web.lib.work.states import State

TYPES = {403: "permission_error", 429: "rate_limit_error"}
FAILURES = {  # how an answer failed: status and code
    "prompt_too_long": (400, "context_length_exceeded"),
    "unreadable_prompt": (400, "invalid_prompt"),
    "busy": (503, "overloaded"),
}


def refusal(
    status: int, sentence: str, *, code: str = "", param: str = "", again: int = 0
) -> JsonResponse:
    """Return an error; `again` is after how many seconds the same may work."""
    answer = JsonResponse(error_body(status, sentence, code=code, param=param), status=status)
    if again:
        answer["Retry-After"] = str(again)
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="OTTO"'
    return answer


def error_body(status: int, sentence: str, *, code: str = "", param: str = "") -> dict[str, Any]:
    kind = "server_error" if status >= 500 else TYPES.get(status, "invalid_request_error")
    error = {"message": sentence, "type": kind, "param": param or None, "code": code or None}
    return {"error": error | {"request_id": request_id_now.get()}}


def failure_of(outcome: Outcome) -> tuple[int, str, str] | None:
    """Return status, sentence and code of an answer that came to nothing; None for all others."""
    if outcome.state == State.FAILED:
        status, code = FAILURES.get(outcome.code, (500, "answer_failed"))
        return status, outcome.message or "The answer failed.", code
    if outcome.state == State.INTERRUPTED:
        return 503, outcome.message, "interrupted"
    if outcome.state == State.CANCELLED and not outcome.text:
        return 503, "The question was stopped before it was answered.", "stopped"
    return None


def model_body(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment as the list of models shows it."""
    return {
        "id": deployment.alias,
        "object": "model",
        "created": int(deployment.created_at.timestamp()),
        "owned_by": "otto",
        "name": deployment.words_from,
        "context_length": deployment.model.context if deployment.model else None,
    }


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer on its way: what stays the same in all that is said of it."""

    pk: UUID
    kind: Kind
    model: str
    created: int

    @property
    def is_chat(self) -> bool:
        return self.kind == Kind.API

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """Return the answer that is not streamed."""
        finish = finish_of(outcome)
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self.is_chat:
            message = {"role": "assistant", "content": outcome.text, "refusal": None}
            choice["message"] = message | _grounds(outcome)
        else:
            choice["text"] = outcome.text
        return self._body("chat.completion", outcome.fingerprint) | {
            "choices": [choice],
            "usage": usage_of(outcome),
            "timings": timings_of(outcome),
        }

    def begin(self) -> dict[str, Any]:
        """Return the first chunk of a chat's answer."""
        return self._chunk({"role": "assistant", "content": ""}, None)

    def words(self, text: str) -> dict[str, Any]:
        return self._chunk({"content": text}, None)

    def end(self, outcome: Outcome) -> dict[str, Any]:
        """Return the last chunk, with what the answer stands on."""
        return self._chunk(_grounds(outcome), finish_of(outcome), outcome.fingerprint)

    def usage(self, outcome: Outcome) -> dict[str, Any]:
        """Return the chunk of figures, for whoever asked for it."""
        chunk = self._body("chat.completion.chunk", outcome.fingerprint)
        return chunk | {
            "choices": [],
            "usage": usage_of(outcome),
            "timings": timings_of(outcome),
        }

    def _chunk(
        self, delta: dict[str, Any], finish: str | None, fingerprint: str | None = None
    ) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self.is_chat:
            choice["delta"] = delta
        else:
            choice["text"] = delta.get("content", "")
        return self._body("chat.completion.chunk", fingerprint) | {"choices": [choice]}

    def _body(self, kind: str, fingerprint: str | None) -> dict[str, Any]:
        return {
            "id": f"{'chatcmpl' if self.is_chat else 'cmpl'}-{self.pk.hex}",
            "object": kind if self.is_chat else "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": fingerprint,
        }


def finish_of(outcome: Outcome) -> str:
    return "length" if outcome.finish == "length" else "stop"


def _grounds(outcome: Outcome) -> dict[str, Any]:
    return {"otto": outcome.grounds} if outcome.grounds is not None else {}


def usage_of(outcome: Outcome) -> dict[str, Any]:
    """Return how many tokens a model read and wrote; none where a known answer was quoted."""
    return {
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.answer_tokens,
        "total_tokens": outcome.prompt_tokens + outcome.answer_tokens,
        "prompt_tokens_details": {"cached_tokens": outcome.cached_tokens},
    }


def timings_of(outcome: Outcome) -> dict[str, float]:
    found = outcome.timings
    seconds = found.get("prompt_ms", 0) / 1000
    read = outcome.prompt_tokens - outcome.cached_tokens
    return {
        "queue_ms": found.get("queue_ms", 0),
        "prompt_ms": found.get("prompt_ms", 0),
        "prompt_per_second": round(read / seconds, 1) if seconds else 0,
        "first_token_ms": found.get("first_token_ms", 0),
        "predicted_per_second": found.get("tokens_per_second", 0),
    }


def event(body: dict[str, Any]) -> bytes:
    """Return one event of a stream."""
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
