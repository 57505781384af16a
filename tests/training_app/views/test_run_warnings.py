"""What a run's page warns of while it goes, and how it colours the figures at the end."""

from __future__ import annotations

import math
import re

import pytest
from django.urls import reverse

from tests.training_app.conftest import toy_order
from tests.training_app.ended_runs import ended_run
from training_app.services.attempts import ProcessIdentity, claim_run
from training_app.services.recording import record_points, record_samples
from training_app.services.runs import queue_run

pytestmark = pytest.mark.usefixtures("redis_server", "data_dir")


@pytest.fixture
def running(version, theo, client_of):
    run = queue_run(toy_order(version, steps=400, eval_every=40), created_by=theo)
    claim = claim_run(ProcessIdentity("here", 1, 1.0))
    client = client_of(theo)

    def told(points):
        record_points(claim, points)
        return " ".join(client.get(reverse("run-live", args=[run.pk])).text.split())

    return claim, told


@pytest.mark.checklist(97, 186)
def test_a_run_that_learns_nothing_says_so_live(running):
    _, told = running
    page = told([("train/loss", step, 9.6 - step / 200) for step in range(1, 121)])
    assert "The loss is 9.0 after 120 updates" in page
    page = told([("train/loss", step, 3.0) for step in range(121, 300)])
    assert "The loss is still 3.00 after" in page
    assert "often means poor data" in page


@pytest.mark.checklist(99)
def test_a_run_that_overfits_is_told_live_and_offered_to_stop(running):
    _, told = running
    points = [("train/loss", step, 3.0 - step / 100) for step in range(1, 201)]
    losses = ((0, 6.0), (40, 3.0), (80, 2.6), (120, 2.8), (160, 3.0), (200, 3.3))
    points += [("validation/loss", step, loss) for step, loss in losses]
    page = told(points)
    assert "It overfits since update 80" in page
    assert 'data-dialog="run-stop">Stop and keep</a>' in page
    page = told([("validation/loss", 240, 2.5)])  # it was only a bump
    assert "It overfits" not in page


@pytest.mark.checklist(98)
def test_every_evaluation_shows_samples_and_gibberish_is_flagged(running):
    claim, told = running
    repeated = "the the the the the the the the the"
    said = ((0, "ordtion invpar", 2.9), (40, repeated, 1.6), (80, "It is on its way.", 1.1))
    for step, reply, bits in said:
        record_samples(claim, step, [(0, "Where is it?", reply, "On its way.")])
        page = told([("validation/loss", step, 3.0), ("validation/bits_per_byte", step, bits)])
    assert ">before training</th>" in page
    assert ">step 40</th>" in page
    flags = [
        ">gibberish</span>" in cell for cell in re.findall(r'data-label="Reply".*?</td>', page)
    ]
    assert flags == [True, True, False]  # by its perplexity, by itself, and not at all


@pytest.mark.checklist(96, 187)
@pytest.mark.parametrize(
    ("loss", "tone", "words"),
    [
        (2.0, "good", "10 to 100 is good"),
        (5.0, "bad", "above 1,000 is poor"),
        (0.8, "warn", "below 10"),
    ],
)
def test_the_verdict_colours_the_perplexity_and_help_explains_it(
    loss, tone, words, version, theo, client_of
):
    run = ended_run(version, theo, loss=loss)
    client = client_of(theo)
    page = " ".join(client.get(reverse("run-detail", args=[run.pk])).text.split())
    assert f'<p class="notice notice-{tone}"> Perplexity:' in page
    assert words in page
    assert f"<dd>{math.exp(loss):.1f}</dd>" in page
    told = " ".join(client.get(reverse("help")).text.split())
    assert "cross-entropy, in nats per token" in told
    assert 'href="/help/#loss"' in page
    assert "from about 10 to 2–4" in told


@pytest.mark.checklist(187)
def test_the_form_says_what_the_loss_counts(theo, client_of, version):
    page = client_of(theo).get(reverse("run-new")).text
    choice = page[page.index('id="id_loss_on"') :].partition("</select>")[0]
    assert "all tokens" in choice
    assert "answers only" in choice
