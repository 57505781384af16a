"""What the libraries of providers raise, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets_app.corpus.providers.provider import Address, ProviderError
from datasets_app.corpus.providers.transport import OutOfBoundsError

LONGEST_SAID = 300
LONGEST_PAUSE = 600.0
AGAIN = frozenset((408, 409, 425, 429))
SENTENCES = {
    401: "{name} does not take the key (401). An admin can enter it again.",
    403: "{name} refuses this key or this machine (403). An admin can look at its settings there.",
    404: "{name} knows no such address or model (404). Look at the address and the model's name.",
    429: "{name} answers “too many requests” (429).",
}
FINAL = frozenset((401, 403, 404))


def no_reply(address: Address) -> ProviderError:
    """Return the error of an answer in which there is no reply."""
    return ProviderError(f"{address.name} answers with something that is no reply.")


def of_status(
    address: Address, status: int, headers: Mapping[str, str], said: Any
) -> ProviderError:
    """Return the error of a reply that is none, by its status."""
    words = " ".join(str(said or "").split())[:LONGEST_SAID]
    if address.key:
        words = words.replace(address.key, "…")
    sentence = SENTENCES.get(status, "{name} answers with an error ({status}).")
    text = sentence.format(name=address.name, status=status)
    return ProviderError(
        f"{text} It says: {words}" if words else text,
        again=status in AGAIN or status >= 500,
        is_final=status in FINAL,
        pause_seconds=_pause(headers.get("retry-after", "")),
    )


def of_connection(address: Address, error: BaseException) -> ProviderError:
    """Return the error of a connection that came to nothing."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OutOfBoundsError):
            is_reply = "reply" in str(cause)
            return ProviderError(f"{address.name}: {cause}", is_final=not is_reply)
        cause = cause.__cause__ or cause.__context__
    words = "did not answer in time" if "imeout" in type(error).__name__ else "cannot be reached"
    return ProviderError(f"{address.name} {words} at {address.base_url}.", again=True)


def _pause(said: str) -> float | None:
    try:
        seconds = float(said)
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE) if seconds == seconds else None  # noqa: PLR0124
