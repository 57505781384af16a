"""Anthropic, by its own library."""

from __future__ import annotations

from typing import Any

import anthropic

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
        except anthropic.APIStatusError as error:
            left = without_refused(options, error.message) if error.status_code == REFUSED else None
            if left is None:
                headers, said = error.response.headers, error.message
                raise faults.of_status(address, error.status_code, headers, said) from error
            options = left
        except anthropic.APIConnectionError as error:
            raise faults.of_connection(address, error) from error
        except (anthropic.AnthropicError, ValueError, TypeError, AttributeError) as error:
            raise faults.no_reply(address) from error


def _options(wanted: Wanted) -> dict[str, Any]:
    options: dict[str, Any] = {"temperature": min(wanted.temperature, 1.0)}
    if wanted.schema is not None:
        form = {"type": "json_schema", "schema": wanted.schema}
        options["output_config"] = {"format": form}
    if wanted.reasoning:
        options["thinking"] = {"type": "adaptive"}
        del options["temperature"]  # not taken together
    return options


def _ask(address: Address, wanted: Wanted, options: dict[str, Any]) -> Reply:
    system = "\n\n".join(one["content"] for one in wanted.messages if one["role"] == "system")
    with client_of(address, {"x-api-key": address.key}) as http:
        client = anthropic.Anthropic(
            api_key=address.key or "none",  # given here, it is sought nowhere else
            base_url=address.base_url,
            max_retries=0,
            http_client=http,
        )
        made = client.messages.create(
            model=wanted.model,
            messages=[dict(one) for one in wanted.messages if one["role"] != "system"],  # type: ignore[misc]
            max_tokens=wanted.max_tokens,
            system=system or anthropic.omit,
            extra_body=options,
        )
    parts = getattr(made, "content", None)
    if not isinstance(parts, list):
        raise faults.no_reply(address)
    usage = getattr(made, "usage", None)
    return Reply(
        "".join(getattr(part, "text", "") or "" for part in parts),
        getattr(made, "stop_reason", "") or "stop",
        getattr(usage, "input_tokens", 0) or 0,
        getattr(usage, "output_tokens", 0) or 0,
    )
