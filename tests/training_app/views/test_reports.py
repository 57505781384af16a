"""A run's report: complete, in one file, and shown outside only by a link that somebody made."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.signing import Signer
from django.urls import reverse
from django.utils import timezone

from otto_web.lib.models import AuditEntry
from tests.training_app.conftest import toy_order
from tests.training_app.ended_runs import ended_run
from training_app.models import ReportLink
from training_app.services.report_links import signed
from training_app.services.runs import queue_run

pytestmark = [pytest.mark.usefixtures("redis_server", "data_dir"), pytest.mark.django_db]
OUTCOMES = ("right",) * 8 + ("contradicts",) * 6
PAGES = ["run-report", "report-html", "report-md"]
POSTS = ["report-link", "report-unlink"]


@pytest.fixture
def run(theo, version):
    return ended_run(version, theo, name="a <b>bold</b> | name", outcomes=OUTCOMES)


def text_of(answer):
    assert answer.status_code == 200
    return answer.getvalue().decode() if answer.streaming else answer.text


def shared(client, run, days=14):
    client.post(reverse("report-link", args=[run.pk]), {"days": days})
    return ReportLink.objects.order_by("-created_at").first()


@pytest.mark.checklist(135)
@pytest.mark.parametrize("name", PAGES)
def test_a_report_holds_everything_and_nothing_of_it_is_markup(name, theo, client_of, run):
    text = text_of(client_of(theo).get(reverse(name, args=[run.pk])))
    for words in (
        *("8 of 14", "Verdict", "Too little data", "Settings", "Learning rate", "validation"),
        *(str(run.version.manifest_sha256), "Your order 3 is on its way.", "contradicts"),
    ):
        assert words in text
    assert "<b>bold" not in text
    assert "\\| name" in text or name != "report-md"


@pytest.mark.checklist(135)
def test_the_file_needs_nothing_else(theo, client_of, run):
    answer = client_of(theo).get(reverse("report-html", args=[run.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="report-a-bboldb-name.html"'
    page = text_of(answer)
    assert "<svg" in page
    assert "--accent: light-dark(" in page
    assert not re.search(r"(?:src|href)=", page)
    assert not re.search(r"url\((?!['\"]?data:)", page)
    assert AuditEntry.objects.filter(verb="download", object_id=str(run.pk)).exists()


def test_a_report_compares_the_run_with_the_one_that_it_goes_on_from(theo, client_of, run):
    better = ended_run(run.version, theo, name="better", outcomes=("right",) * 14)
    better.start_model = run.model
    better.save()
    for name in PAGES:
        text = text_of(client_of(theo).get(reverse(name, args=[better.pk])))
        assert "B is probably better than A: 6 more right of 14" in text


def test_a_run_that_is_not_over_has_a_report_that_says_so(theo, version, client_of):
    waiting = queue_run(toy_order(version), created_by=theo)
    pages = [text_of(client_of(theo).get(reverse(name, args=[waiting.pk]))) for name in PAGES]
    assert "The run is not over" in pages[0]


def test_somebody_without_an_account_reads_it_by_a_link_until_it_is_taken_back(
    theo, client, client_of, run
):
    assert not ReportLink.objects.exists()
    link = shared(client_of(theo), run)
    address = reverse("report-open", args=[signed(link)])
    assert address in client_of(theo).get(reverse("run-report", args=[run.pk])).text
    answer = client.get(address)
    assert "8 of 14" in text_of(answer)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    client_of(theo).post(reverse("report-unlink", args=[run.pk]), {"link": link.pk})
    assert client.get(address).status_code == 404
    assert [one.verb for one in AuditEntry.objects.filter(verb__startswith="report.")] == [
        "report.linked",
        "report.unlinked",
    ]


def test_a_link_ends_by_itself_and_with_whoever_made_it(theo, client, client_of, run):
    link = shared(client_of(theo), run)
    address = reverse("report-open", args=[signed(link)])
    groups = list(theo.groups.all())
    theo.groups.clear()
    assert client.get(address).status_code == 404
    theo.groups.set(groups)
    assert client.get(address).status_code == 200
    ReportLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(address).status_code == 404


def test_nobody_makes_an_address_up(client, client_of, theo, run):
    link = shared(client_of(theo), run)
    for text in (link.pk.hex, str(link.pk), f"{link.pk.hex}.x", Signer().sign(link.pk.hex)):
        assert client.get(reverse("report-open", args=[text])).status_code == 404
    other = queue_run(toy_order(run.version), created_by=theo)
    taken = client_of(theo).post(reverse("report-unlink", args=[other.pk]), {"link": link.pk})
    assert taken.status_code == 404


@pytest.mark.parametrize("days", ["0", "91", "", "-1", "1e9", "x", "²"])
def test_a_link_lasts_from_a_day_to_ninety(days, theo, client_of, run):
    page = client_of(theo).post(reverse("report-link", args=[run.pk]), {"days": days}, follow=True)
    assert "A link lasts 1 to 90 days." in page.text
    assert not ReportLink.objects.exists()


@pytest.mark.parametrize("name", [*PAGES, *POSTS])
def test_only_a_trainer_sees_and_shows_it(name, cora, client, client_of, run):
    url = reverse(name, args=[run.pk])
    for visitor, status in ((client_of(cora), 403), (client, 302)):
        send = visitor.post if name in POSTS else visitor.get
        assert send(url).status_code == status
