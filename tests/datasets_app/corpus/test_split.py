from __future__ import annotations

from collections import Counter
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.split import Shares, SplitRow, assign_splits, block_groups, exact_key
from datasets_app.models import Dataset
from datasets_app.sample.conversations import generate
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add


def rows_of(count: int, group=lambda n: f"g{n}") -> list[SplitRow]:
    return [SplitRow(n, group(n)) for n in range(count)]


def pair(question: str, answer: str) -> Conversation:
    return Conversation((Turn("user", question), Turn("assistant", answer)))


@pytest.mark.slow
def test_shares_come_out_about_as_asked_and_the_same_each_time():
    splits = assign_splits(rows_of(10_000), seed=1, shares=Shares()).splits
    counts = Counter(splits.values())
    assert 900 < counts["validation"] < 1100
    assert 420 < counts["test"] < 580
    assert assign_splits(reversed(rows_of(10_000)), seed=1, shares=Shares()).splits == splits
    assert assign_splits(rows_of(10_000), seed=2, shares=Shares()).splits != splits


def test_below_200_rows_there_is_no_test_split():
    assert "test" not in assign_splits(rows_of(199), seed=3, shares=Shares()).splits.values()
    assert "test" in assign_splits(rows_of(400), seed=3, shares=Shares()).splits.values()


@given(st.integers(2, 60), st.integers(1, 60), st.integers(0, 2**31))
def test_training_and_validation_are_never_empty(count, groups, seed):
    splits = assign_splits(
        rows_of(count, lambda n: f"g{n % groups}"), seed=seed, shares=Shares()
    ).splits
    assert len(splits) == count
    assert {"train", "validation"} <= set(splits.values())


@given(st.integers(2, 60), st.integers(2, 20), st.integers(0, 2**31))
def test_a_group_stays_in_one_split(count, groups, seed):
    groups = min(groups, count)
    result = assign_splits(rows_of(count, lambda n: f"g{n % groups}"), seed=seed, shares=Shares())
    assert result.parted == 0
    for group in range(groups):
        assert len({result.splits[n] for n in range(group, count, groups)}) == 1


def test_a_single_group_is_parted_and_that_is_said():
    result = assign_splits(rows_of(5, lambda n: "one"), seed=1, shares=Shares())
    assert result.parted == 1
    assert Counter(result.splits.values()) == {"train": 4, "validation": 1}


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_rows_are_refused_in_a_sentence(count):
    with pytest.raises(CorpusError, match="at least two"):
        assign_splits(rows_of(count), seed=1, shares=Shares())


@given(st.integers(2, 80), st.integers(0, 80), st.integers(0, 1000))
def test_a_row_that_has_a_split_keeps_it_when_rows_are_added(first, more, seed):
    before = assign_splits(rows_of(first), seed=seed, shares=Shares()).splits
    known = [SplitRow(key, f"g{key}", split) for key, split in before.items()]
    after = assign_splits(
        [*known, *rows_of(first + more)[first:]], seed=seed + 1, shares=Shares()
    ).splits
    assert before.items() <= after.items()


def test_a_new_row_follows_its_group_and_one_between_two_splits_is_left_out():
    rows = [
        SplitRow(1, "x", "validation"),
        SplitRow(2, "x"),
        SplitRow(3, "y", "train"),
        SplitRow(4, "y", "validation"),
        SplitRow(5, "y"),
    ]
    result = assign_splits(rows, seed=1, shares=Shares())
    assert result.splits == {1: "validation", 2: "validation", 3: "train", 4: "validation"}
    assert result.left_out == (5,)


def test_old_rows_of_one_split_only_are_refused_with_a_way_out():
    rows = [SplitRow(1, "x", "train"), SplitRow(2, "y", "train")]
    with pytest.raises(CorpusError, match="another seed"):
        assign_splits(rows, seed=1, shares=Shares())


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.6, 0.4), (-0.1, 0.1), (0.1, 1.0)])
def test_shares_that_leave_nothing_to_train_on_are_refused(shares):
    with pytest.raises(CorpusError, match="Choose shares"):
        Shares(*shares)


@pytest.mark.parametrize("count", [2, 3, 19, 40, 144, 1000])
def test_one_document_gives_both_splits(count):
    groups = block_groups(count, document="book")
    rows = [SplitRow(n, group) for n, group in enumerate(groups)]
    splits = assign_splits(rows, seed=7, shares=Shares()).splits
    assert {"train", "validation"} <= set(splits.values())
    assert max(Counter(groups).values()) <= 20
    assert groups == sorted(groups, key=lambda group: int(group.partition("/")[2]))


def test_exact_keys_forgive_case_spaces_and_punctuation_only():
    key = exact_key(pair("Are you OPEN today?", "Yes,  we are."))
    assert key == exact_key(pair("are you open today", "yes we are!"))
    assert key != exact_key(pair("are you open today", "no we are not"))
    assert key != exact_key(Conversation((Turn("text", "are you open today yes we are"),)))
    assert exact_key(pair("What is C++?", "It is")) != exact_key(pair("What is C?", "It is"))
    assert exact_key(pair("कि", "a")) != exact_key(pair("का", "a"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is the caf\u00e9 open?", "Is the cafe\u0301 open?"),
        ("Where is my par\u00adcel?", "Where is my parcel?"),
        ("Where is\u200b my\u2060 parcel\ufeff", "WHERE  is my parcel"),
        ("\u202aWhere\u202c is it", "where is it"),
        ("Stra\u00dfe", "STRASSE"),
        ("\uff23\uff23 ok\uff1f", "cc OK"),
        ("a well\u2011known shop", "a well-known shop"),
        ("a well-known shop", "a well known shop"),
        ("**Yes**, it is \u201copen\u201d \u2014 today\u2026", "yes it is open today"),
        ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("50 % off", "50% off"),
        ("\u22125 degrees", "-5 degrees"),
    ],
)
def test_what_reads_the_same_is_a_copy(one, other):
    assert exact_key(pair(one, "Yes.")) == exact_key(pair(other, "yes"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at -5 degrees", "at 5 degrees"),
        ("at (\u22125) degrees", "at (5) degrees"),
        ("books on C#", "books on C"),
        ("books on C++", "books on C"),
        ("books on .NET", "books on NET"),
        ("50 % of it", "50 of it"),
        ("take 1/2", "take 1 2"),
        ("at 10:30", "at 10 30"),
        ("3.5 m", "3 5 m"),
        ("3.5 m", "35 m"),
        ("it is .5 m", "it is 5 m"),
        ("5 - 3", "5 3"),
        ("2*3", "2 3"),
        ("write @home", "write home"),
        ("#5", "5"),
        ("R&D", "R D"),
        ("my_name", "my name"),
        ("m\u00b2", "m2"),
        ("10\u00b2", "102"),
        ("\u00bd", "1/2"),
        ("\u2026", "?!"),
    ],
)
def test_a_sign_that_says_something_makes_no_copy(one, other):
    assert exact_key(pair(one, "Yes.")) != exact_key(pair(other, "Yes."))


@pytest.mark.django_db(transaction=True)
def test_rows_of_an_older_installation_get_the_key_anew_and_keep_their_split(ada):
    dataset = create_dataset("Old", by=ada)
    add(dataset, [pair("caf\u00e9", "Yes."), pair("cafe\u0301", "Yes."), pair("-5", "Yes.")])
    before = Dataset.objects.get(pk=dataset.pk).changes
    right = list(dataset.conversations.order_by("pk").values_list("exact_key", flat=True))
    dataset.conversations.filter(exact_key=right[0]).update(exact_key="old", split="validation")
    migration = import_module("datasets_app.migrations.0005_copies_by_what_they_say")
    for _ in range(2):
        migration.rekey(apps, SimpleNamespace(connection=connection))
    rows = dataset.conversations.order_by("pk").values_list("exact_key", "split")
    assert list(rows) == [(right[0], "validation"), (right[0], "validation"), (right[2], None)]
    assert Dataset.objects.get(pk=dataset.pk).changes == before + 1


@pytest.mark.checklist(163)
def test_50_identical_conversations_have_one_key_and_one_split():
    copies = [pair("Where is my order?", "It is on its way!")] * 50
    others = [sample.conversation for sample in generate(count=50)]
    keys = [exact_key(talk) for talk in (*copies, *others)]
    assert Counter(keys).most_common(1)[0][1] == 50
    rows = [SplitRow(n, key) for n, key in enumerate(keys)]
    splits = assign_splits(rows, seed=7, shares=Shares()).splits
    assert len({splits[n] for n in range(50)}) == 1
