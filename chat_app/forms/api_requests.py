"""Bodies of OpenAI's API, read and checked: what is wrong is said with the name of its field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chat_app.models import Kind
from chat_app.services.chats import LONGEST_MESSAGE
from chat_app.services.exchanges import Exchange
from chat_app.serving.errors import ServingError
from chat_app.serving.limits import (
    NEW_TOKENS,
    SAMPLING,
    check_biases,
    check_stop,
)
from chat_app.serving.sampling import SEED_LIMIT
from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER

MOST_MESSAGES = 500
MOST_CHARACTERS = 100_000  # of all messages together: they are read while others are answered
ROLES = {"system": SYSTEM, "developer": SYSTEM, "user": USER, "assistant": ASSISTANT}
LENGTHS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
WHOLE = {"top_k"}
OTHER_NAMES = {"repeat_penalty": "repetition_penalty"}
# What would change the answer in a way that is not there yet, and the values that ask for nothing.
NOT_THERE: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "tools": ([],),
    "functions": ([],),
    "audio": (),
    "modalities": (["text"], []),
    "echo": (False,),
    "suffix": ("",),
    "continue_final_message": (False,),
    "web_search_options": (),
    "response_format": ({"type": "text"},),
}


class BadRequestError(Exception):
    """A body that cannot be answered: the sentence, the field's name, the code for programs."""

    def __init__(self, sentence: str, param: str = "", code: str = "invalid_value") -> None:
        super().__init__(sentence)
        self.param, self.code = param, code


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an answer."""

    model: str
    exchange: Exchange
    is_streamed: bool
    with_usage: bool  # in a chunk of its own, at the stream's end


def body_of(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body. Raises BadRequestError."""
    try:
        body = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is no JSON.", code="invalid_json") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.", code="invalid_json")
    return body


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def chat_asked(body: Mapping[str, Any]) -> Asked:
    """Return what /v1/chat/completions was asked. Raises BadRequestError."""
    turns = _turns(body.get("messages"))
    system = "\n\n".join(text for role, text in turns if role == SYSTEM)
    spoken = [turn for turn in turns if turn[0] != SYSTEM]
    if not spoken or spoken[-1][0] != USER:
        raise BadRequestError("The last message must be one of the user.", "messages")
    *given, (_, text) = spoken
    if not text.strip():
        raise BadRequestError("The last message is empty. Write something to answer.", "messages")
    is_logged = body.get("store") is not False
    exchange = Exchange(text, Kind.API, system, tuple(given), _wished(body), is_logged)
    return _asked(body, exchange)


def completion_asked(body: Mapping[str, Any]) -> Asked:
    """Return what /v1/completions was asked. Raises BadRequestError."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str) or not prompt:
        raise BadRequestError("Send one text as the prompt.", "prompt")
    _refuse_long(prompt, "prompt")
    return _asked(body, Exchange(prompt, Kind.COMPLETION, wished=_wished(body)))


def _asked(body: Mapping[str, Any], exchange: Exchange) -> Asked:
    _refuse_missing(body)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequestError("Name a deployment as the model.", "model")
    is_streamed = _is_true(body, "stream")
    options = body.get("stream_options")
    if options is not None and not (isinstance(options, dict) and is_streamed):
        raise BadRequestError(
            "stream_options is an object, and goes with stream.", "stream_options"
        )
    return Asked(model, exchange, is_streamed, _is_true(options or {}, "include_usage"))


def _refuse_missing(body: Mapping[str, Any]) -> None:
    for name, fine in NOT_THERE.items():
        value = body.get(name)
        if value is not None and value not in fine:
            raise BadRequestError(
                f"“{name}” is not supported here. Leave it out.", name, "unsupported_parameter"
            )


def _turns(messages: object) -> list[tuple[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise BadRequestError("Send a list of messages.", "messages")
    if len(messages) > MOST_MESSAGES:
        raise BadRequestError(f"Send at most {MOST_MESSAGES} messages.", "messages")
    turns = [_turn(message, place) for place, message in enumerate(messages)]
    if sum(len(text) for _, text in turns) > MOST_CHARACTERS:
        raise BadRequestError(
            f"The messages have more than {MOST_CHARACTERS:,} characters together. Send fewer.",
            "messages",
            "context_length_exceeded",
        )
    return turns


def _turn(message: object, place: int) -> tuple[str, str]:
    where = f"messages[{place}]"
    if not isinstance(message, dict):
        raise BadRequestError(f"{where} is no object.", where)
    name = message.get("role")
    name = name if isinstance(name, str) else ""
    role = ROLES.get(name)
    if role is None:
        raise BadRequestError(
            f"{where} has the role “{name[:40]}”; known are system, developer, user and assistant.",
            f"{where}.role",
        )
    text = _content(message.get("content"), f"{where}.content")
    _refuse_long(text, f"{where}.content")
    return role, text


def _content(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadRequestError(f"{where} must be a text, or a list of text parts.", where)
    texts = []
    for place, part in enumerate(content):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            raise BadRequestError(
                f"{where}[{place}] is no text; models here read text alone.", f"{where}[{place}]"
            )
        texts.append(text)
    return "".join(texts)


def _refuse_long(text: str, where: str) -> None:
    if len(text) > LONGEST_MESSAGE:
        raise BadRequestError(
            f"{where} has {len(text):,} characters; {LONGEST_MESSAGE:,} are allowed.",
            where,
            "string_above_max_length",
        )


# Settings ----------------------------------------------------------------------------------------
def _wished(body: Mapping[str, Any]) -> tuple[tuple[str, object], ...]:
    """Return the settings that were sent, by the names of the engine."""
    body = {OTHER_NAMES.get(name, name): value for name, value in body.items()}
    wished: dict[str, object] = {}
    for name, setting in SAMPLING.items():
        if (value := body.get(name)) is not None:
            wished[name] = _number(value, name, setting.low, setting.high, whole=name in WHOLE)
    if (seed := body.get("seed")) is not None:
        wished["seed"] = _number(seed, "seed", 0, SEED_LIMIT - 1, whole=True)
    for name in LENGTHS:
        if (length := body.get(name)) is not None:
            most = int(_number(length, name, NEW_TOKENS.low, SEED_LIMIT, whole=True))
            wished["new_tokens"] = min(most, NEW_TOKENS.high)  # it is only a bound
            break
    for name, read in READERS.items():
        if (value := body.get(name)) is not None:
            wished[name] = read(value)
    return tuple(wished.items())


def _number(value: Any, name: str, low: float, high: float, *, whole: bool) -> float:
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise BadRequestError(f"{name} must be a {'whole ' if whole else ''}number.", name)
    if not low <= value <= high:
        raise BadRequestError(f"{name} must lie between {low:g} and {high:g}.", name)
    number: float = value
    return number


def _stop(value: object) -> list[str]:
    texts: Any = [value] if isinstance(value, str) else value
    _check(check_stop, texts, "stop")
    return list(texts)


def _logit_bias(value: Any) -> dict[str, float]:
    _check(check_biases, value, "logit_bias")
    return {str(int(token)): bias for token, bias in value.items()}


def _check(check: Callable[[object], None], value: object, name: str) -> None:
    try:
        check(value)
    except ServingError as error:
        raise BadRequestError(str(error), name) from error


READERS: dict[str, Callable[[object], object]] = {"stop": _stop, "logit_bias": _logit_bias}


def _is_true(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequestError(f"{name} must be true or false.", name)
    return bool(value)
