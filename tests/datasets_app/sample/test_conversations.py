from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from dataclasses import fields
from functools import cache

import pytest

from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.split import exact_key
from datasets_app.sample.conversations import (
    MEMBER_NAME,
    SAMPLE_SHA256,
    as_zip_bytes,
    generate,
    write_jsonl,
)
from datasets_app.sample.second_shop import CHANGES, SECOND_SHOP, SHOPS
from datasets_app.sample.talk import INTENTS, named_in, product_facts


@pytest.fixture(scope="module")
def samples():
    return list(generate())


@pytest.mark.slow
def test_the_sample_is_the_same_for_one_seed(samples):
    assert list(generate()) == samples
    assert list(generate(seed=8)) != samples
    assert len(list(generate(count=20))) == 20


def test_eight_percent_are_planted_of_every_kind(samples):
    planted = Counter(sample.planted for sample in samples if sample.planted)
    assert len(samples) == 3000
    assert planted.total() == 240
    assert set(planted) == {
        "empty",
        "too_short",
        "repetitive",
        "gibberish",
        "echo",
        "truncated",
        "structure",
        "duplicate",
    }
    assert set(planted.values()) == {30}


@pytest.mark.slow
def test_every_planted_fault_is_found_and_hardly_anything_else(samples):
    missed, wrong, good = [], [], 0
    for sample in samples:
        findings = judge(sample.conversation, standard()).findings
        if sample.planted in {None, "duplicate"}:
            good += 1
            wrong += [sample] * any(finding.severity in "ER" for finding in findings)
        elif sample.planted not in {finding.rule for finding in findings}:
            missed.append(sample)  # in a dialogue an odd turn, or a last word, only informs
    assert missed == []
    assert len(wrong) <= 0.005 * good


def test_the_planted_copies_are_the_only_duplicates(samples):
    counts = Counter(exact_key(sample.conversation) for sample in samples)
    extra = sum(count - 1 for count in counts.values())
    assert extra == 30


def test_the_sample_is_varied(samples):
    good = [sample for sample in samples if sample.planted is None]
    assert len({sample.intent for sample in good}) >= 40
    assert {len(sample.conversation.turns) for sample in good} == {2, 4, 6, 8}
    asked = [turn.text for s in good for turn in s.conversation.turns if turn.role == "user"]
    said = [turn.text for s in good for turn in s.conversation.turns if turn.role == "assistant"]
    assert len(set(asked)) > 0.5 * len(asked)
    assert len(set(said)) > 0.4 * len(said)


@pytest.mark.parametrize("intent", INTENTS, ids=lambda intent: intent.name)
def test_every_question_has_an_answer_that_speaks_only_of_what_was_named(intent):
    for ask in intent.asks:
        assert any(named_in(answer) <= named_in(ask) for answer in intent.answers), ask


@pytest.mark.slow
def test_a_second_shop_changes_nothing_but_its_facts(samples):
    second = list(generate(shop=SECOND_SHOP))
    assert [(s.intent, s.planted) for s in second] == [(s.intent, s.planted) for s in samples]
    changed = [
        (one.text, two.text)
        for before, after in zip(samples, second, strict=True)
        for one, two in zip(before.conversation.turns, after.conversation.turns, strict=True)
        if one != two
    ]
    assert 200 < len(changed) < 500
    assert sum(map(len, CHANGES.values())) >= 12
    for one, two in changed:
        assert without_facts(one) == without_facts(two)


@cache
def all_facts():
    """Return what conversations say of products, stores and countries, the longest first."""
    said = set()
    for shop in SHOPS:
        for product in shop.products:
            slots = product_facts(product)
            said |= {*slots.values(), *product.colours, slots["material_cap"]}
        for thing in (*shop.stores, *shop.countries):
            said |= {getattr(thing, field.name) for field in fields(thing)}
    return sorted({fact.lower() for fact in said}, key=len, reverse=True)


def without_facts(text):
    text = text.lower()
    for fact in all_facts():
        text = text.replace(fact, "…")
    return text


@pytest.mark.slow
def test_the_archive_holds_the_sample_as_messages(tmp_path, samples):
    path = tmp_path / "sample.jsonl"
    assert write_jsonl(path) == 3000
    with zipfile.ZipFile(io.BytesIO(as_zip_bytes())) as archive:
        assert archive.namelist() == [MEMBER_NAME]
        content = archive.read(MEMBER_NAME)
    assert content == path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SAMPLE_SHA256
    assert as_zip_bytes() == as_zip_bytes()
    lines = content.decode().splitlines()
    first = json.loads(lines[0])["messages"]
    assert [message["content"] for message in first] == [
        turn.text for turn in samples[0].conversation.turns
    ]
