"""A version out of versions: whose rows are in it, in which split, and that it can be repeated."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from datasets_app.corpus.conversation import CorpusError
from datasets_app.jobs.freezing import freeze, freeze_version
from datasets_app.jobs.removing import remove_rows
from datasets_app.jobs.repeats import find_repeats
from datasets_app.models import Dataset, Knowledge, Removal, Version
from datasets_app.selectors.mixable import mix_preview
from datasets_app.selectors.versions import iter_conversations
from datasets_app.services.datasets import create_dataset, delete_dataset
from datasets_app.services.editing import Seen, edit_row
from datasets_app.services.mixing import Mix, order_mix
from datasets_app.services.repeats import order_search
from datasets_app.services.versions import delete_version
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
BOTH = [pair(f"What is {n} times {n}?", f"It is {n * n}, of course.") for n in range(40)]


def frozen(name, owner, talks, seed):
    made = create_dataset(name, by=owner)
    Dataset.objects.filter(pk=made.pk).update(split_seed=seed)
    made.refresh_from_db()
    add(made, talks)
    return freeze_version(made, user=owner)


@pytest.fixture
def shop(cora):
    own = [pair(f"Where is my parcel {n}?", f"Parcel {n} left on day {n}.") for n in range(160)]
    return frozen("Shop", cora, [*own, *BOTH], seed=1)


@pytest.fixture
def general(cora):
    own = [pair(f"Who wrote book {n}?", f"Writer {n} wrote it in year {n}.") for n in range(60)]
    return frozen("General", cora, [*own, *BOTH], seed=2)


def mixed(by, *parts, **more):
    version = order_mix(Mix(parts, **more), by=by)
    freeze(version.pk)
    version.refresh_from_db()
    assert version.state == State.SUCCEEDED, version.message
    return version


def splits_of(version):
    """Return the split of each text of a version."""
    rows = version.rows.values_list("conversation__exact_key", "split")
    return dict(rows)


def test_a_mix_has_its_shares_and_no_text_twice_and_nobody_changes_sides(shop, general, cora):
    parts = [(shop, 70.0), (general, 30.0)]
    preview = mix_preview(parts, None)
    version = mixed(cora, *parts, seed=7)
    given = [part.splits for part in version.parts.order_by("place")]
    assert given == [{k: n for k, n in part.takes.items() if n} for part in preview.parts]
    assert version.counts["splits"] == {k: n for k, n in preview.splits if n}
    rows = Counter(version.rows.values_list("conversation__dataset__name", flat=True))
    assert abs(rows["Shop"] / rows.total() - 0.7) < 0.01
    texts = list(version.rows.values_list("conversation__exact_key", flat=True))
    assert len(texts) == len(set(texts)) == version.counts["rows"] == preview.rows
    held = {"test": 2, "validation": 1, "train": 0}
    was = [splits_of(shop), splits_of(general)]
    for key, split in splits_of(version).items():
        origins = [one[key] for one in was if key in one]
        assert split in origins
        assert held[split] == max(held[one] for one in origins)
    told = version.parts.order_by("place")
    assert sum(part.repeated + part.held_back for part in told) == len(BOTH)
    assert {part.held_back > 0 for part in told} == {True}  # each keeps some that the other teaches
    assert version.dataset == shop.dataset
    assert version.number == 2
    assert Knowledge.objects.filter(version=version).exists()
    shop.dataset.refresh_from_db()
    assert shop.dataset.split_seed == 1


def test_the_same_order_gives_the_same_rows_and_another_seed_others(shop, general, cora):
    parts = [(shop, 50.0), (general, 50.0)]
    first, again = (mixed(cora, *parts, rows=60, seed=3) for _ in range(2))
    assert first.manifest_sha256 == again.manifest_sha256
    other = mixed(cora, *parts, rows=60, seed=4)
    assert other.manifest_sha256 != first.manifest_sha256
    assert other.counts["splits"] == first.counts["splits"]
    assert len(list(iter_conversations(first.pk))) == 60


def test_what_a_cluster_keeps_for_tests_no_other_version_teaches(cora):
    one = [pair(f"How long can I keep thing {n}?", f"You keep it {n} days.") for n in range(30)]
    other = [pair(f"how long can i keep thing {n}", f"Keep it {n} weeks.") for n in range(30)]
    made = create_dataset("Support", by=cora)
    add(made, one)
    first = freeze_version(made, user=cora)
    # written later, and compared only afterwards: each got a split of its own
    rows = [pair(f"Is shop {n} open?", f"Shop {n} is open.") for n in range(30)]
    add(made, [*other, *rows], first=30)
    made.conversations.filter(position__lte=30).update(status="excluded")
    second = freeze_version(made, user=cora)
    made.conversations.filter(position__lte=30).update(status="kept")
    order_search(made, by=cora)
    find_repeats(made.pk)
    version = mixed(cora, (first, 50.0), (second, 50.0))
    assert version.counts["leaks"]["rows"] == 0
    assert sum(part.held_back for part in version.parts.all()) > 0


def test_a_row_that_was_changed_since_is_known_by_what_it_said(shop, general, cora):
    row = general.dataset.conversations.get(position=61)  # the first that both say
    edit_row(general.dataset, Seen(row.pk, 1), pair("Who are you?", "A program."), by=cora)
    version = mixed(cora, (shop, 50.0), (general, 50.0))
    texts = [one.turns[0].text for one in iter_conversations(version.pk)]
    assert "Who are you?" not in texts
    assert len(texts) == len(set(texts))


def test_a_mix_that_cannot_be_is_refused_and_one_in_use_keeps_its_parts(shop, general, cora):
    with pytest.raises(CorpusError, match="chosen twice"):
        order_mix(Mix([(shop, 50.0), (shop, 50.0)]), by=cora)
    short = order_mix(Mix([(shop, 10.0), (general, 90.0)], rows=900), by=cora)
    freeze(short.pk)
    short.refresh_from_db()
    assert short.state == State.FAILED
    assert "rows to give, and 90 % of 900 are 810. With these shares" in short.message
    delete_version(short, by=cora)
    version = mixed(cora, (shop, 50.0), (general, 50.0))
    with pytest.raises(CorpusError, match="1 × mixed version"):
        delete_version(general, by=cora)
    delete_dataset(general.dataset, by=cora)
    assert len(list(iter_conversations(version.pk))) == version.counts["rows"]
    removal = Removal.objects.get()
    remove_rows(removal.pk)
    assert general.dataset.conversations.count() == general.counts["rows"]
    delete_version(version, by=cora)  # what only it held may go now, from each of its datasets
    removal.refresh_from_db()
    assert removal.state == State.QUEUED


def test_the_command_mixes_by_name_and_says_what_each_gave(
    shop, general, capsys, monkeypatch, redis_server, postgres_server
):
    monkeypatch.setenv("DATABASE_URL", postgres_server.url())
    monkeypatch.setenv("REDIS_URL", redis_server)
    call_command("mix", "Shop v1=70", "General v1=30", "--rows", "100", "--json")
    told = json.loads(capsys.readouterr().out)
    assert [sum(told["parts"][name].values()) for name in ("Shop v1", "General v1")] == [70, 30]
    assert Version.objects.get(pk=told["version"]).counts["rows"] == 100
    for parts, error in (
        (["Shop v1=70"], "2 to 6 versions"),
        (["Shop v1", "General v1=30"], "names no share"),
        (["Shop v1=70", "Nothing=30"], "no frozen version “Nothing”"),
    ):
        with pytest.raises(CommandError, match=error):
            call_command("mix", *parts)
