"""OpenAI and every provider that speaks like it, by OpenAI's own library."""

from __future__ import annotations

from typing import Any

import openai

from datasets_app.corpus.providers import faults
from datasets_app.corpus.providers.options import REFUSED, without_refused
from datasets_app.corpus.providers.provider import Address, Reply, Wanted
from datasets_app.corpus.providers.transport import client_of


def complete(address: Address, wanted: Wanted) -> Reply:
    """Ask for one reply, without what this model does not take; raises ProviderError."""
    options = _options(wanted)
    while True:
        try:
            return _ask(address, wanted, options)
        except openai.APIStatusError as error:
            said = _said(error.body) or error.message
            left = without_refused(options, said) if error.status_code == REFUSED else None
            if left is None:
                headers = error.response.headers
                raise faults.of_status(address, error.status_code, headers, said) from error
            options = left
        except openai.APIConnectionError as error:
            raise faults.of_connection(address, error) from error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise faults.no_reply(address) from error


def _options(wanted: Wanted) -> dict[str, Any]:
    options: dict[str, Any] = {
        "max_tokens": wanted.max_tokens,
        "temperature": wanted.temperature,
    }
    if wanted.schema is not None:
        form = {"name": "pairs", "strict": True, "schema": wanted.schema}
        options["response_format"] = {"type": "json_schema", "json_schema": form}
    if wanted.reasoning:
        options["reasoning_effort"] = "low"
    return options


def _said(body: object) -> str:
    if isinstance(body, dict):
        inner = body.get("error", body)
        return str(inner.get("message", "")) if isinstance(inner, dict) else str(inner)
    return str(body or "")


def _ask(address: Address, wanted: Wanted, options: dict[str, Any]) -> Reply:
    with client_of(address, {"authorization": f"Bearer {address.key}"}) as http:
        client = openai.OpenAI(
            api_key=address.key or "none",
            base_url=address.base_url,
            max_retries=0,
            http_client=http,
        )
        made = client.chat.completions.create(
            model=wanted.model,
            messages=[dict(one) for one in wanted.messages],  # type: ignore[misc]
            **options,
        )
    choices = getattr(made, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise faults.no_reply(address)
    usage = getattr(made, "usage", None)
    return Reply(
        choices[0].message.content or "",
        choices[0].finish_reason or "stop",
        getattr(usage, "prompt_tokens", 0) or 0,
        getattr(usage, "completion_tokens", 0) or 0,
    )
