"""OpenAI and every provider that speaks like it, by OpenAI's own library."""

from __future__ import annotations

from typing import Any

import openai

from datasets_app.corpus.providers import faults
from datasets_app.corpus.providers.provider import Address, ProviderError, Reply, Wanted
from datasets_app.corpus.providers.transport import client_of

UNKNOWN_FIELD = 400  # what servers answer that know no schema


def complete(address: Address, wanted: Wanted) -> Reply:
    """Ask once, with the schema where the server knows schemas; raises ProviderError."""
    try:
        return _ask(address, wanted, with_schema=wanted.schema is not None)
    except openai.APIStatusError as error:
        if error.status_code != UNKNOWN_FIELD or wanted.schema is None:
            raise _fault(address, error) from error
    except openai.APIConnectionError as error:
        raise faults.of_connection(address, error) from error
    try:
        return _ask(address, wanted, with_schema=False)
    except openai.APIStatusError as error:
        raise _fault(address, error) from error
    except openai.APIConnectionError as error:
        raise faults.of_connection(address, error) from error


def _fault(address: Address, error: openai.APIStatusError) -> ProviderError:
    return faults.of_status(
        address, error.status_code, error.response.headers, _said(error.body) or error.message
    )


def _said(body: object) -> str:
    if isinstance(body, dict):
        inner = body.get("error", body)
        return str(inner.get("message", "")) if isinstance(inner, dict) else str(inner)
    return str(body or "")


def _ask(address: Address, wanted: Wanted, *, with_schema: bool) -> Reply:
    more: dict[str, Any] = {}
    if with_schema:
        form = {"name": "pairs", "strict": True, "schema": wanted.schema}
        more["response_format"] = {"type": "json_schema", "json_schema": form}
    if wanted.reasoning:
        more["reasoning_effort"] = "low"
    with client_of(address) as http:
        client = openai.OpenAI(
            api_key=address.key or "none", base_url=address.base_url, max_retries=0, http_client=http
        )
        try:
            made = client.chat.completions.create(
                model=wanted.model,
                messages=[dict(one) for one in wanted.messages],  # type: ignore[misc]
                max_tokens=wanted.max_tokens,
                temperature=wanted.temperature,
                **more,
            )
        except (openai.APIStatusError, openai.APIConnectionError):
            raise
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise ProviderError(f"{address.name} answers with something that is no reply.") from error
    choices = getattr(made, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise ProviderError(f"{address.name} answers with something that is no reply.")
    usage = getattr(made, "usage", None)
    return Reply(
        choices[0].message.content or "",
        choices[0].finish_reason or "stop",
        getattr(usage, "prompt_tokens", 0) or 0,
        getattr(usage, "completion_tokens", 0) or 0,
    )
