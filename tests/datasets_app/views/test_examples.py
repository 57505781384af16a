"""The bundled example conversations."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.models import Conversation, Dataset
from datasets_app.sample.examples import NAME, example_conversations
from datasets_app.selectors.scores import score_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.checklist(247)
def test_eight_flawless_conversations_can_be_added_and_changed(client_of, cora, mia):
    curator = client_of(cora)
    assert "Add the example conversations" in curator.get(reverse("dataset-list")).text
    answer = curator.post(reverse("dataset-examples"), follow=True)
    dataset = Dataset.objects.get()
    assert dataset.name == NAME == "Example conversations"
    rows = Conversation.objects.filter(dataset=dataset).order_by("position")
    assert [row.turns for row in rows] == [one.as_json() for one in example_conversations()]
    assert (rows.count(), score_of(dataset).percent) == (8, 100)
    assert not any(row.findings.exists() for row in rows)
    assert rows[0].turns[0]["text"] in answer.text
    words = [rows[0].turns[0]["text"], "Ask the front desk, which keeps the list of rooms."]
    sent = {"role": ["user", "assistant"], "text": words, "revision": rows[0].revision}
    curator.post(reverse("row-edit", args=[dataset.pk, rows[0].pk]), {**sent, "do": "save"})
    assert Conversation.objects.get(pk=rows[0].pk).turns[1]["text"] == words[1]
    assert client_of(mia).post(reverse("dataset-examples")).status_code == 403
    curator.post(reverse("dataset-examples"))
    assert Dataset.objects.filter(name=f"{NAME} 2").exists()
