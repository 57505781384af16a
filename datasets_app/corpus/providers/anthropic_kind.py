"""Anthropic, by its own library."""

from __future__ import annotations

from typing import Any

import anthropic

from datasets_app.corpus.providers import faults
from datasets_app.corpus.providers.provider import Address, ProviderError, Reply, Wanted
from datasets_app.corpus.providers.transport import client_of

THINKING_TOKENS = 1024  # the least that it takes


def complete(address: Address, wanted: Wanted) -> Reply:
    """Ask once; raises ProviderError. The form of the reply is asked for in words."""
    system = "\n\n".join(one["content"] for one in wanted.messages if one["role"] == "system")
    more: dict[str, Any] = {"system": system} if system else {}
    if wanted.reasoning:
        more["thinking"] = {"type": "enabled", "budget_tokens": THINKING_TOKENS}
    else:
        more["temperature"] = min(wanted.temperature, 1.0)
    with client_of(address) as http:
        client = anthropic.Anthropic(
            api_key=address.key, base_url=address.base_url, max_retries=0, http_client=http
        )
        try:
            made = client.messages.create(
                model=wanted.model,
                messages=[dict(one) for one in wanted.messages if one["role"] != "system"],  # type: ignore[misc]
                max_tokens=wanted.max_tokens + (THINKING_TOKENS if wanted.reasoning else 0),
                **more,
            )
        except anthropic.APIStatusError as error:
            headers = error.response.headers
            raise faults.of_status(address, error.status_code, headers, error.message) from error
        except anthropic.APIConnectionError as error:
            raise faults.of_connection(address, error) from error
        except (anthropic.AnthropicError, ValueError, TypeError, AttributeError) as error:
            raise ProviderError(f"{address.name} answers with something that is no reply.") from error
    parts = getattr(made, "content", None)
    if not isinstance(parts, list):
        raise ProviderError(f"{address.name} answers with something that is no reply.")
    text = "".join(getattr(part, "text", "") or "" for part in parts)
    usage = getattr(made, "usage", None)
    return Reply(
        text,
        getattr(made, "stop_reason", "") or "stop",
        getattr(usage, "input_tokens", 0) or 0,
        getattr(usage, "output_tokens", 0) or 0,
    )
