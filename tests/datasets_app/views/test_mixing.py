"""The page that mixes versions: what it asks, tells beforehand, refuses, and leads to."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from datasets_app.jobs.freezing import freeze, freeze_version
from datasets_app.models import Version
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]


@pytest.fixture
def versions(cora):
    """Return a version of 200 rows, and one of another dataset: 40, and 5 that the first has."""
    made, both = [], [pair(f"What do both say of {n}?", f"Both say {n}.") for n in range(5)]
    for name, size in (("Shop", 195), ("General", 40)):
        dataset = create_dataset(name, by=cora)
        own = [pair(f"What does {name} say of {n}?", f"It says {n}.") for n in range(size)]
        add(dataset, [*own, *both])
        made.append(freeze_version(dataset, choice="all", user=cora))
    return made


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def order(shop, general, **more):
    return {
        "version_1": str(shop.pk),
        "share_1": "70",
        "version_2": str(general.pk),
        "share_2": "30",
        "seed": "5",
        **more,
    }


@pytest.mark.slow
@pytest.mark.checklist(222)
def test_what_the_preview_tells_is_what_the_version_is_and_its_page_shows_who_gave(
    versions, cora, client_of
):
    shop, general = versions
    client, page = client_of(cora), reverse("version-mix", args=[shop.pk])
    assert "General v1 · 45 rows · General" in words(client.get(page))
    told = words(client.get(reverse("mix-preview", args=[shop.pk]), order(shop, general)))
    assert "Shop v1 70 % 93 " in told
    assert "General v1 30 % 40 " in told
    assert "4 said before, 1 kept for tests elsewhere Together 100 % 133 " in told
    answer = client.post(page, order(shop, general, name="Both", note="for the pilot"))
    version = Version.objects.get(name="Both")
    assert answer.url == reverse("version-detail", args=[version.pk])
    freeze(version.pk)
    version.refresh_from_db()
    told = words(client.get(answer.url))
    assert "Conversations 133 " in told
    assert "mixed from 2 versions with seed 5" in told
    assert "Shop v1 of Shop 70 % 93 " in told
    assert re.search(r"General v1 of General 30 % 40 [\d ]+ 4 said before, 1 kept", told)
    diff = reverse("version-diff", args=[shop.pk, version.pk])
    assert "70 % Shop v1 and 30 % General v1" in words(client.get(diff))
    row = version.rows.filter(conversation__dataset=general.dataset).first().conversation_id
    there = client.get(reverse("conversation-detail", args=[shop.dataset_id, row]))
    assert there.url == reverse("conversation-detail", args=[general.dataset_id, row])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"share_2": "20"}, "The shares are 90 % together. They have to be 100 %."),
        ({"share_2": ""}, "Say which share of the mix this version gives."),
        ({"version_2": ""}, "A mix is made of 2 to 6 versions, and 1 is chosen."),
        ({"rows": "1000"}, "With these shares 133 rows are possible; or give it at most"),
        ({"rows": "1"}, "greater than or equal to 2"),
        ({"version_2": "nonsense"}, "Select a valid choice"),
        ({"seed": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_told_beside_the_form_and_loses_nothing(
    versions, cora, client_of, more, told
):
    shop, general = versions
    client = client_of(cora)
    wanted = order(shop, general, note="for the pilot") | more
    preview = client.get(reverse("mix-preview", args=[shop.pk]), wanted)
    assert preview.status_code == 200
    assert told in words(preview)
    answer = client.post(reverse("version-mix", args=[shop.pk]), wanted)
    assert answer.status_code == 422
    assert told in words(answer)
    assert "for the pilot" in words(answer)
    assert Version.objects.count() == 2


def test_only_curators_mix_and_only_what_is_frozen(versions, cora, mia, client_of):
    shop, _ = versions
    for name in ("version-mix", "mix-preview"):
        assert client_of(mia).get(reverse(name, args=[shop.pk])).status_code == 403
    Version.objects.filter(pk=shop.pk).update(state="failed")
    answer = client_of(cora).get(reverse("version-mix", args=[shop.pk]))
    assert answer.url == reverse("version-detail", args=[shop.pk])
