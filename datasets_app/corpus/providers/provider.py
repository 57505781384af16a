"""What a provider of language models is: how it is asked, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.web.guard import Guard

Message = Mapping[str, str]  # role and content
LARGEST_REPLY = 8 << 20  # bytes; pairs of one chunk have some thousand


class ProviderError(CorpusError):
    """What a provider said instead of a reply, in a sentence.

    `again` is true where asking later may help, after `pause_seconds` where it said so. Otherwise,
    `is_final` tells that no other question would fare better: a key that is not taken.
    """

    def __init__(
        self,
        message: str,
        *,
        again: bool = False,
        is_final: bool = False,
        pause_seconds: float | None = None,
    ) -> None:
        super().__init__(clean_text(message).text)
        self.again = again
        self.is_final = is_final
        self.pause_seconds = pause_seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote, why it ended (`stop`, `length`), and how many tokens that took."""

    text: str
    finish: str = "stop"
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a provider is asked, and how long it may take; `key` never leaves this object."""

    name: str
    base_url: str
    guard: Guard
    key: str = field(default="", repr=False)
    connect_seconds: float = 10.0
    reply_seconds: float = 120.0
    largest_reply: int = LARGEST_REPLY
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One question to a model; `schema` is a JSON schema that the reply should follow."""

    model: str
    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 2000
    temperature: float = 0.7
    reasoning: bool = False


class Complete(Protocol):
    """Asks once; raises ProviderError."""

    def __call__(self, address: Address, wanted: Wanted) -> Reply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of provider, whole. The form, the page and the job read what stands here.

    `load` imports the function: the library behind it is heavy. `name` is stored and never changes.
    """

    name: str
    label: str
    sentence: str
    load: Callable[[], Complete]
    base_url: str = ""
    model: str = ""
    needs_key: bool = True
    is_inside: bool = False  # at an address of an internal network, as a rule
