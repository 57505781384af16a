"""Which questions test a model, and how closeness of meaning is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets_app.knowledge.encoder import Encoder as SentenceEncoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.models import Encoder, Knowledge, SourceFile, Upload, Version
from datasets_app.sample.conversations import SAMPLE_SHA256
from datasets_app.sample.questions import off_topic_questions, validation_questions
from datasets_app.selectors.knowledge import key_of
from datasets_app.selectors.versions import iter_conversations
from training_app.lm.answer_test import AnswerTest, Item, items_of
from training_app.lm.config import ABSTENTION, SOURCES
from training_app.lm.contract import Grounds
from training_app.lm.facts import Closeness, by_vectors, word_closeness

CALIBRATED = "minilm-l6"  # a part of the encoder's name
RUN_SECONDS = 120.0  # at the end of a run: one core wrote 143 replies of SmolLM2 in 99 seconds


def answer_test_of(
    version: Version, split: str, *, seconds: float, abstention: str = ""
) -> AnswerTest:
    """Return the test for models of a version; it ends after so many seconds.

    `abstention` is the sentence with which they learned to say that they do not know.
    """
    is_strict = split == "validation" and is_of_sample(version)
    items = sample_items() if is_strict else items_of(iter_conversations(version.pk, split))
    return AnswerTest(items, meaning(), abstention, seconds)


def known_to(version: Version, data: Mapping[str, Any]) -> Grounds | None:
    """Return what a model answers from that learned with known answers, as its run said it."""
    return grounds_of(version, data) if data.get("sources") else None


def grounds_of(version: Version, data: Mapping[str, Any]) -> Grounds | None:
    """Return what anything can answer from, as the data of its run say; None before it is built."""
    row = Knowledge.objects.filter(version=version).select_related("encoder").first()
    if row is None or row.folder is None:
        return None
    most = int(data.get("sources") or 0) or SOURCES
    return Grounds(key_of(row), most, data.get("abstention") or ABSTENTION)


def meaning() -> Closeness | None:
    """Return closeness by vectors, where the encoder is here that its cut was chosen for."""
    row = Encoder.objects.current()
    if row is None or CALIBRATED not in row.name.lower():
        return None
    try:
        encode = SentenceEncoder.open(row.folder).encode
    except KnowledgeError:
        return None

    def cosine(one: str, other: str) -> float:
        try:
            vectors = encode([one, other])
        except KnowledgeError:  # a test shall not end because of its measure
            return word_closeness(one, other)
        return float(vectors[0] @ vectors[1])

    return by_vectors(cosine)


def is_of_sample(version: Version) -> bool:
    """Tell whether the version's dataset holds the bundled sample and nothing that was sent."""
    uploads = Upload.objects.filter(dataset=version.dataset_id)
    sample = SourceFile.objects.filter(upload__in=uploads, blob_id=SAMPLE_SHA256)
    others = uploads.exclude(pk__in=sample.values("upload"))
    return sample.exists() and not SourceFile.objects.filter(upload__in=others).exists()


def sample_items() -> list[Item]:
    """Return the sample's validation questions with strict facts, and those about other things."""
    return [
        Item(one.turns, one.answer, one.kind, one.must, one.must_not)
        for one in (*validation_questions(), *off_topic_questions())
    ]
