"""OTTO's own API of tokenizers: made, looked at, tried out, as on their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role
from otto_web.lib.api.bodies import Input, Listed, Paged, listed
from otto_web.lib.api.endpoints import JSON, Call, May, endpoint, resource
from otto_web.lib.api.errors import ApiError
from otto_web.lib.tokens import Scope
from otto_web.lib.work.states import State
from training_app.lm.config import TrainingError
from training_app.lm.tokenizer_backends import OTHER_NAMES, Recipe
from training_app.models import MadeTokenizer, paths
from training_app.selectors.made_tokenizers import LONGEST_TEXT, decoded, tried
from training_app.services.tokenizers import order_tokenizer

LOOK = May(Scope.READ, Role.TRAINER)
TRAIN = May(Scope.TRAIN, Role.TRAINER)
TokenId = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class TrainTokenizer(Input, frozen=True):
    """A tokenizer to be; `sentencepiece` is another name of `unigram`."""

    version_id: Annotated[UUID, msgspec.Meta(description="the frozen version that it learns from")]
    method: Literal["bpe", "unigram", "sentencepiece", "wordpiece"] = "bpe"
    vocab_size: Annotated[int, msgspec.Meta(ge=128, le=262_144)] = 32_000
    min_frequency: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2
    holdout_fraction: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.01
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 42
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class TokenizersAsked(Paged, frozen=True):
    """Which tokenizers are listed, newest first."""

    status: State | None = None
    version_id: UUID | None = None


class TokenizerBody(msgspec.Struct):
    """A tokenizer; its figures are null until it is made."""

    tokenizer_id: UUID
    name: str
    method: str
    status: State
    message: str
    version_id: UUID
    entries: int | None
    coverage: float | None
    oov_rate: float | None
    token_count: int | None
    char_coverage: float | None
    artifact_path: str | None
    sha256: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: MadeTokenizer) -> TokenizerBody:
        stats = row.stats
        return cls(
            row.pk,
            row.name,
            row.recipe["method"],
            State(row.state),
            row.message,
            row.version_id,
            row.entries or None,
            stats.get("coverage"),
            stats.get("oov_rate"),
            stats.get("token_count"),
            stats.get("char_coverage"),
            row.path or None,
            row.sha256 or None,
            row.created_at,
        )


class EncodeText(Input, frozen=True):
    """A text to cut."""

    text: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]


class TokenBody(msgspec.Struct):
    """A token: its id, and its text, or where it is a part of a character, its bytes."""

    id: int
    text: str
    is_part: bool


class Encoded(msgspec.Struct):
    """The tokens of a text, and whether it comes back from them exactly."""

    ids: list[int]
    tokens: list[TokenBody]
    is_exact: bool


class DecodeIds(Input, frozen=True):
    """Ids to write out."""

    ids: Annotated[list[TokenId], msgspec.Meta(max_length=LONGEST_TEXT)]


class Decoded(msgspec.Struct):
    """The text of ids."""

    text: str


@endpoint("POST", "Make a tokenizer", may=TRAIN, status=202, refusals=(TrainingError,))
def tokenizer_train(call: Call, body: TrainTokenizer) -> TokenizerBody:
    """Order it; a worker makes it, and `status` says when it is done."""
    version = trainable_versions(call.user).filter(pk=body.version_id).first()
    if version is None:
        sentence = "There is no frozen version with this id; the list of versions has them."
        raise ApiError(400, sentence, field="version_id")
    recipe = Recipe(
        OTHER_NAMES.get(body.method, body.method),
        body.vocab_size,
        body.min_frequency,
        body.holdout_fraction,
        body.seed,
    )
    return TokenizerBody.of(order_tokenizer(version, recipe, name=body.name, by=call.user))


@endpoint("GET", "The tokenizers, newest first", may=LOOK)
def tokenizers_list(call: Call, query: TokenizersAsked) -> Listed[TokenizerBody]:
    rows = MadeTokenizer.objects.visible_to(call.user).order_by("-created_at")
    if query.status is not None:
        rows = rows.filter(state=query.status)
    if query.version_id is not None:
        rows = rows.filter(version=query.version_id)
    return listed(rows, query, TokenizerBody.of)


@endpoint("GET", "A tokenizer and its figures", may=LOOK)
def tokenizer_get(call: Call, tokenizer_id: UUID) -> TokenizerBody:
    return TokenizerBody.of(_found(call, tokenizer_id))


@endpoint("GET", "How a tokenizer was made, as its manifest.json says", may=LOOK)
def tokenizer_manifest(call: Call, tokenizer_id: UUID) -> dict[str, Any]:
    path = paths.absolute(_ready(call, tokenizer_id).path) / "manifest.json"
    return HttpResponse(path.read_bytes(), content_type=JSON)  # type: ignore[return-value]


@endpoint("POST", "Cut a text into tokens", may=LOOK)
def tokenizer_encode(call: Call, tokenizer_id: UUID, body: EncodeText) -> Encoded:
    found = tried(_ready(call, tokenizer_id), body.text)
    tokens = [TokenBody(one.id, one.text, one.is_part) for one in found.tokens]
    return Encoded([one.id for one in found.tokens], tokens, found.is_exact)


@endpoint("POST", "Write the text of tokens out", may=LOOK)
def tokenizer_decode(call: Call, tokenizer_id: UUID, body: DecodeIds) -> Decoded:
    return Decoded(decoded(_ready(call, tokenizer_id), body.ids))


def _found(call: Call, tokenizer_id: UUID) -> MadeTokenizer:
    return get_object_or_404(MadeTokenizer.objects.visible_to(call.user), pk=tokenizer_id)


def _ready(call: Call, tokenizer_id: UUID) -> MadeTokenizer:
    made = _found(call, tokenizer_id)
    if not made.is_ready:
        raise ApiError(409, f"This tokenizer is not made: it is {made.state}.")
    return made


tokenizers = resource(tokenizers_list)
train = resource(tokenizer_train)
tokenizer = resource(tokenizer_get)
manifest = resource(tokenizer_manifest)
encode = resource(tokenizer_encode)
decode = resource(tokenizer_decode)
