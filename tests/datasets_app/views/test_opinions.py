"""A second opinion: drawn by a seed, given blind, compared, settled; two people, changed rows."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Dataset, Decision, Opinion
from datasets_app.selectors import estimates
from datasets_app.selectors.opinions import result_of
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import curation, editing, opinions, tallies
from datasets_app.services.opinions import Sample, judge_row, next_row, settle_row
from otto_web.lib.models import AuditEntry
from tests.datasets_app.makers import pair, support_dataset, tally_follows

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset(cora):
    """Return 32 rows: Cora accepted twelve and excluded eight."""
    made = support_dataset(cora)
    pks = list(made.conversations.order_by("position").values_list("pk", flat=True))
    curation.decide_rows(made, pks[:12], Decision.KEEP, by=cora)
    curation.decide_rows(made, pks[12:20], Decision.EXCLUDE, by=cora)
    return made


def ask(dataset, by, judge=None, size=20, seed=7, rows=None):
    return opinions.ask_opinion(dataset, Sample(size, seed, rows or RowFilter(), judge), by=by)


def judge_all(opinion, by, differing=()):
    """Judge every row as the first did, but for these places."""
    while row := next_row(opinion, by=by):
        other = {"keep": "exclude", "exclude": "keep"}[row.first]
        said = other if row.place in differing else row.first
        judge_row(opinion, row.place, Decision(said), by=by)
    opinion.refresh_from_db()


def test_a_seed_draws_the_same_rows_of_what_others_decided(dataset, cora, theo, ada):
    drawn = [
        list(ask(dataset, cora, theo, 8, seed).rows.values_list("conversation", flat=True))
        for seed in (3, 3, 4)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 8
    excluded = ask(dataset, cora, theo, 50, rows=RowFilter(status="excluded"))
    assert set(excluded.rows.values_list("first", flat=True)) == {"exclude"}
    assert excluded.rows.count() == excluded.drawn_from == 8
    with pytest.raises(CorpusError, match="no rows to judge"):
        ask(dataset, theo, cora)  # she decided about all of them herself
    assert ask(dataset, theo).rows.count() == 20


def test_asking_and_settling_outdate_no_tally(dataset, cora, theo, monkeypatch):
    for module in (estimates, tallies):
        monkeypatch.setattr(module, "MOST_EXACT", 5)
    tallies.count_behind()
    changes = Dataset.objects.get(pk=dataset.pk).changes
    opinion = ask(dataset, cora, theo)
    assert Dataset.objects.get(pk=dataset.pk).changes == changes  # what was counted stays true
    judge_all(opinion, theo, {1})
    settle_row(opinion, 1, Decision.EXCLUDE, by=cora)
    assert tally_follows(dataset)


def test_a_judge_sees_the_words_and_not_the_decision(dataset, client_of, cora, theo, ada, mia):
    address = reverse("opinion-list", args=[dataset.pk])
    asked = client_of(cora).post(address, {"size": 20, "judge": theo.pk, "seed": 5})
    opinion = Opinion.objects.get()
    assert asked.url == reverse("opinion-detail", args=[opinion.pk])
    judge = client_of(theo)
    page = judge.get(asked.url)
    text = page.content.decode()
    row = page.context["row"]
    assert row.conversation.turns[0]["text"] in text
    assert row.conversation.status not in text.partition("<main")[2].replace("decided", "")
    assert "cora" not in text.partition('<ol class="turns">')[2]
    for other in (cora, ada):  # who asked and who stands by see how far it is
        seen = client_of(other).get(asked.url)
        assert seen.context["row"] is None
        assert seen.context["result"] is None
    assert client_of(ada).post(asked.url, {"do": "keep", "place": row.place}).status_code == 422
    assert client_of(mia).get(asked.url).status_code == 403
    assert client_of(mia).get(address).status_code == 403

    before = dict(dataset.conversations.values_list("pk", "decision"))
    first = judge.post(asked.url, {"do": "keep", "place": row.place}, headers=HTMX)
    assert first.context["progress"].judged == 1
    assert first.context["row"].place == row.place + 1
    back = judge.post(asked.url, {"do": "undo"}, headers=HTMX)
    assert (back.context["progress"].judged, back.context["row"].place) == (0, row.place)
    judge_all(opinion, theo)
    assert judge.get(asked.url).context["result"].agreement.kappa == 1
    assert dict(dataset.conversations.values_list("pk", "decision")) == before


def test_where_they_differ_is_settled_and_undone(dataset, client_of, cora, theo, ada):
    opinion = ask(dataset, cora, theo)
    judge_all(opinion, theo, differing=(1, 2, 3, 4))
    page = client_of(cora).get(reverse("opinion-detail", args=[opinion.pk]))
    found = page.context["result"]
    assert (found.agreement.agreed, found.agreement.total) == (16, 20)
    assert [one.row.place for one in found.differences] == [1, 2, 3, 4]
    assert f"{found.agreement.kappa:.2f}" in page.content.decode()
    assert sum(map(sum, (counts for _, counts in found.table))) == 20

    settle = reverse("opinion-settle", args=[opinion.pk])
    row = found.differences[0].row
    other = "exclude" if row.first == "keep" else "keep"
    done = client_of(ada).post(settle, {"place": 1, "do": other}, headers=HTMX)
    assert done.context["result"].differences[0].is_settled
    row.conversation.refresh_from_db()
    assert row.conversation.decision == other
    assert AuditEntry.objects.filter(verb="opinion.settled").count() == 1
    late = client_of(theo).post(settle, {"place": 1, "do": row.first}, headers=HTMX)
    assert late.status_code == 422
    assert "settled this before you" in late.content.decode()
    undone = client_of(cora).post(settle, {"place": 1, "do": "undo"}, headers=HTMX)
    assert not undone.context["result"].differences[0].is_settled
    row.conversation.refresh_from_db()
    assert row.conversation.decision == row.first


def test_two_people_never_get_the_same_row(dataset, cora, theo, ada):
    opinion = ask(dataset, cora)
    first, second = next_row(opinion, by=theo), next_row(opinion, by=ada)
    assert first.place != second.place
    assert next_row(opinion, by=theo).place == first.place  # after a reload
    assert next_row(opinion, by=cora) is None  # hers are the first opinions
    judge_row(opinion, first.place, Decision.KEEP, by=theo)
    assert judge_row(opinion, first.place, Decision.KEEP, by=theo).second_by == theo  # sent twice
    with pytest.raises(CorpusError, match="judged meanwhile"):
        judge_row(opinion, first.place, Decision.KEEP, by=ada)
    judge_all(opinion, ada)
    judge_all(opinion, theo)
    assert opinion.closed_at is not None
    assert result_of(opinion).agreement.total == 20


def test_rows_that_change_meanwhile_are_left_out_or_said_so(dataset, client_of, cora, theo):
    opinion = ask(dataset, cora, theo)
    one, two = opinion.rows.order_by("place")[:2]
    changed = pair("Where is it?", "It is on its way to you since Monday.")
    editing.edit_row(dataset, editing.Seen(one.conversation_id, 1), changed, by=cora)
    assert next_row(opinion, by=theo).place == two.place
    with pytest.raises(CorpusError, match="changed meanwhile"):
        judge_row(opinion, one.place, Decision.KEEP, by=theo)
    judge_all(opinion, theo, differing=(2, 3))
    assert opinion.closed_at is not None  # nothing is left to judge
    other = Decision.EXCLUDE if two.first == "keep" else Decision.KEEP
    curation.decide_rows(dataset, [two.conversation_id], other, by=cora)
    with pytest.raises(CorpusError, match="decided anew"):
        settle_row(opinion, 2, Decision.KEEP, by=cora)
    opinion.rows.get(place=3).conversation.delete()
    page = client_of(cora).get(reverse("opinion-detail", args=[opinion.pk]))
    assert page.context["result"].agreement.total == 18
    assert "decided anew since" in page.content.decode()


def test_it_can_be_ended_before_all_are_judged(dataset, client_of, cora, theo):
    opinion = ask(dataset, cora, theo)
    row = next_row(opinion, by=theo)
    judge_row(opinion, row.place, Decision(row.first), by=theo)
    address = reverse("opinion-detail", args=[opinion.pk])
    client_of(cora).post(address, {"do": "close"})
    page = client_of(theo).get(address)
    assert page.context["result"].agreement.total == 1
    assert "kappa is not defined" in " ".join(page.content.decode().split())
    assert client_of(theo).post(address, {"do": "keep", "place": 2}).status_code == 422
    listed = client_of(theo).get(reverse("opinion-list", args=[dataset.pk])).content.decode()
    assert "1 of 20" in listed
    wrong = client_of(cora).post(
        reverse("opinion-list", args=[dataset.pk]), {"size": 0, "seed": "x", "judge": "999"}
    )
    assert wrong.status_code == 422
