"""Which questions test a model."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_app.knowledge import encoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.models import Blob, Encoder, SourceFile, Upload
from datasets_app.sample.conversations import SAMPLE_SHA256
from tests.training_app.conftest import make_version
from training_app.selectors.answer_tests import answer_test_of, meaning

pytestmark = pytest.mark.django_db


def kinds(test):
    asked = [item.kind for item in test.items]
    return {kind: asked.count(kind) for kind in ("validation", "off_topic")}


def test_a_versions_own_questions_are_asked():
    version = make_version()
    test = answer_test_of(version, "validation", seconds=5)
    assert kinds(test)["off_topic"] == 0
    assert 0 < len(test.items) <= 100
    assert all(item.reference and not item.must for item in test.items)
    assert test.seconds == 5


def test_the_samples_models_are_asked_strictly_and_about_other_things():
    version = make_version()
    upload = Upload.objects.create(name="any.zip", size=1, dataset=version.dataset)
    blob = Blob.objects.create(sha256=SAMPLE_SHA256, size=1)
    SourceFile.objects.create(upload=upload, name="conversations.jsonl", blob=blob)
    test = answer_test_of(version, "validation", seconds=5)
    assert kinds(test) == {"validation": 73, "off_topic": 40}
    assert all(item.must for item in test.items if item.kind == "validation")
    assert kinds(answer_test_of(version, "test", seconds=5))["off_topic"] == 0


def test_a_dataset_that_holds_more_than_the_sample_is_asked_its_own_questions():
    version = make_version()
    blob = Blob.objects.create(sha256=SAMPLE_SHA256, size=1)
    for name, content in (("sample.zip", blob), ("ours.jsonl", None)):
        upload = Upload.objects.create(name=name, size=1, dataset=version.dataset)
        SourceFile.objects.create(upload=upload, name="conversations.jsonl", blob=content)
    test = answer_test_of(version, "validation", seconds=5)
    assert kinds(test)["off_topic"] == 0
    assert not any(item.must for item in test.items)


def add_encoder(name):
    return Encoder.objects.create(
        name=name, path="encoders/none", dims=2, max_tokens=256, sha256="0" * 64
    )


def test_meaning_needs_the_encoder_that_its_cut_was_chosen_for(data_dir):
    assert meaning() is None
    add_encoder("some-other-encoder")
    assert meaning() is None
    add_encoder("all-MiniLM-L6-v2")
    assert meaning() is None, "its folder is gone"


class Vectors:
    """Says that every two texts are near, or fails as a broken graph does."""

    def __init__(self, *, is_broken=False):
        self.is_broken = is_broken

    def encode(self, texts):
        if self.is_broken:
            raise KnowledgeError("It gave no vectors.")
        return np.ones((len(texts), 1), np.float32)


def test_meaning_decides_for_what_it_can_read_and_words_for_the_rest(monkeypatch):
    add_encoder("all-minilm-l6-v2")
    monkeypatch.setattr(encoder.Encoder, "open", lambda folder: Vectors())
    near = meaning()
    assert near.measure("Patience pays off.", "It is worth waiting.") >= near.cut
    assert near.measure("여행은 언제나 좋죠.", "다시 새로 사는 게 마음 편해요.") < near.cut
    monkeypatch.setattr(encoder.Encoder, "open", lambda folder: Vectors(is_broken=True))
    assert meaning().measure("Patience pays off.", "It is worth waiting.") < near.cut
