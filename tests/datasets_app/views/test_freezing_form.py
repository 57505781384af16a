"""The form that freezes: what it tells before, shares, seed and a note."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.split import Shares
from datasets_app.jobs import freezing
from datasets_app.models import Version
from datasets_app.selectors.freeze_preview import freeze_preview
from otto_web.lib.models import AuditEntry
from tests.datasets_app.makers import support_dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(cora):
    return support_dataset(cora)


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def told(curator, dataset, **asked):
    answer = curator.get(reverse("version-preview", args=[dataset.pk]), asked)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.checklist(14)
def test_the_form_tells_what_would_go_in(dataset, curator, cora):
    page = told(curator, dataset, choice="kept", validation="20", test="0", seed="1")
    assert "30 conversations go in, about 24 for train, 6 for validation, 0 for test." in page
    page = told(curator, dataset, choice="all", validation="20", test="0", seed="1")
    assert "31 conversations go in" in page
    assert "1 more is left out" in page
    freezing.freeze_version(dataset, user=cora)
    page = told(curator, dataset, choice="kept", validation="20", test="0", seed="1")
    assert "30 keep the split they have" in page


@pytest.mark.checklist(14)
def test_a_choice_that_can_be_no_version_says_so(dataset, curator, cora):
    freezing.freeze_version(dataset, user=cora)
    dataset.conversations.filter(split="validation").update(status="review")
    shares = Shares()
    assert "none is in “validation”" in freeze_preview(dataset, "kept", shares).lacks
    dataset.conversations.update(status="excluded")
    dataset.changes += 1
    assert "at least two conversations" in freeze_preview(dataset, "kept", shares).lacks
    assert not freeze_preview(dataset, "all", shares).lacks


@pytest.mark.checklist(14)
def test_shares_and_seed_are_kept_by_the_dataset_and_the_version(dataset, curator, redis_server):
    body = {
        "choice": "kept",
        "validation": "30",
        "test": "0",
        "seed": "1234567",
        "note": " Spring\nsale ",
    }
    answer = curator.post(reverse("version-list", args=[dataset.pk]), body)
    version = Version.objects.get()
    assert answer["Location"] == reverse("version-detail", args=[version.pk])
    assert version.shares == {"validation": 0.3, "test": 0}
    assert (version.split_seed, version.note) == (1234567, "Spring\nsale")
    freezing.freeze(version.pk)
    dataset.refresh_from_db()
    assert (dataset.validation_share, dataset.split_seed) == (0.3, 1234567)
    page = curator.get(reverse("version-list", args=[dataset.pk])).content.decode()
    assert 'value="1234567"' in page
    assert "Spring<br>sale" in curator.get(answer["Location"]).content.decode()


@pytest.mark.checklist(14)
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"validation": "60", "test": "40"}, "less than a tenth to learn from"),
        ({"validation": "0"}, "greater than or equal to 1"),
        ({"validation": "many"}, "Enter a number"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"seed": "9999999999"}, "less than or equal to"),
    ],
)
def test_shares_that_leave_nothing_are_refused_beside_their_field(
    dataset, curator, wrong, sentence
):
    body = {"choice": "kept", "validation": "10", "test": "5", "seed": "1", **wrong}
    answer = curator.post(reverse("version-list", args=[dataset.pk]), body)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Version.objects.exists()
    assert sentence in told(curator, dataset, **body)


@pytest.mark.slow
def test_a_note_is_changed_later_and_the_trail_keeps_it(dataset, curator, cora, client_of, mia):
    version = freezing.freeze_version(dataset, user=cora)
    manifest = version.manifest_sha256
    address = reverse("version-note", args=[version.pk])
    curator.post(address, {"note": "Before the sale"})
    curator.post(address, {"note": "<b>After</b> the sale"})
    curator.post(address, {"note": "x" * 2_001})
    version.refresh_from_db()
    assert version.note == "<b>After</b> the sale"
    assert version.manifest_sha256 == manifest
    kept = AuditEntry.objects.filter(verb="set note").order_by("pk")
    assert [entry.after["note"] for entry in kept] == ["Before the sale", "<b>After</b> the sale"]
    page = curator.get(reverse("version-detail", args=[version.pk])).content.decode()
    assert "&lt;b&gt;After&lt;/b&gt; the sale" in page
    assert client_of(mia).post(address, {"note": "x"}).status_code == 403
