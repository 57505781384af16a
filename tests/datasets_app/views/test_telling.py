"""A table of facts becomes questions and answers: from the first look to the rows."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from datasets_app.corpus.parsing.telling import WAYS
from datasets_app.corpus.source import Mapping
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation
from datasets_app.services.receiving import NewUpload, receive_whole

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ("article", "price_eur", *(f"f{n}" for n in range(28)))


def wide(rows=3):
    """Return a table of 30 columns, most of them empty."""
    lines = [",".join(COLUMNS)]
    lines += [",".join((f"Lamp {n}", f"{n}.50", *[""] * 27, f"x{n}")) for n in range(rows)]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def asked(cora, redis_server, data_dir):
    """Give a function that imports a file and returns it."""

    def done(body, name="lamps.csv"):
        upload = receive_whole(NewUpload(name, len(body)), body, by=cora)
        assert import_upload(upload.pk)
        return upload.files.get()

    return done


def questions():
    rows = Conversation.objects.order_by("position").values_list("turns", flat=True)
    return [(turns[0]["text"], turns[1]["text"]) for turns in rows]


@pytest.mark.slow
@pytest.mark.checklist(100)
def test_thirty_columns_need_no_more_than_a_look_and_a_click(asked, client_of, cora):
    file = asked(wide())
    assert file.waiting_for["suggested"]["tells"] == "questions"
    page = client_of(cora).get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "What is the price of Lamp 0?" in page
    told = {"tells": "questions", "key": "article"}
    answer = client_of(cora).post(reverse("file-columns", args=[file.pk]), told)
    assert answer.status_code == 302
    assert import_upload(file.upload_id)
    assert questions()[:2] == [
        ("What is the price of Lamp 0?", "The price of Lamp 0 is 0.50 EUR."),
        ("What is the f27 of Lamp 0?", "The f27 of Lamp 0 is x0."),
    ]
    assert len(questions()) == 6
    file.refresh_from_db()
    assert file.n_loaded + file.n_skipped + file.n_failed == file.size
    assert not file.issues.exists()


@pytest.mark.slow
@pytest.mark.checklist(108, 109)
def test_each_way_is_shown_beside_the_others_before_one_is_chosen(asked, client_of, cora):
    file = asked(wide())
    words = {"key": "f27", "asks": "Which one is {{f27}}?", "template": "It is {{articel}}."}
    url = reverse("file-told", args=[file.pk])
    page = client_of(cora).get(url, words).content.decode()
    assert "The article of f27 x0" not in page
    assert "The article of x0 is Lamp 0." in page
    assert "Which one is x0?" in page
    assert "Did you mean “article”?" in page
    assert page.count("<article") == len(WAYS) == 5
    words["template"] = "It is {{article}}."
    page = client_of(cora).get(url, words).content.decode()
    assert "It is Lamp 1." in page
    told = {**words, "tells": "template"}
    client_of(cora).post(reverse("file-columns", args=[file.pk]), told)
    assert import_upload(file.upload_id)
    assert questions()[2] == ("Which one is x2?", "It is Lamp 2.")


@pytest.mark.slow
def test_a_wrong_template_loads_nothing_and_says_why(asked, client_of, cora):
    file = asked(wide())
    told = {"tells": "template", "asks": "{{article}}?", "template": "{{prise_eur}}"}
    answer = client_of(cora).post(reverse("file-columns", args=[file.pk]), told)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Did you mean “price_eur”?" in page
    assert "{{prise_eur}}" in page
    file.refresh_from_db()
    assert file.verdict == "waiting"


@pytest.mark.slow
def test_another_way_than_the_proposed_one_wins(asked, client_of, cora):
    file = asked(wide())
    told = {"tells": "questions", "key": "article", "question": "article", "answer": "f27"}
    client_of(cora).post(reverse("file-columns", args=[file.pk]), told)
    assert import_upload(file.upload_id)
    assert questions()[0] == ("Lamp 0", "x0")


@pytest.mark.slow
def test_a_table_loaded_as_prose_says_so_and_can_be_told_instead(asked, client_of, cora):
    file = asked(b"text,price\nThe lamp that stands by the door of the house.,5\n")
    assert Conversation.objects.get().turns[0]["role"] == "text"
    url = reverse("file-detail", args=[file.pk])
    assert "loaded as plain text" in client_of(cora).get(url).content.decode()
    again = reverse("file-columns-again", args=[file.pk])
    client_of(cora).post(again, {"tells": "lines", "key": "text", "text": "text"})
    client_of(cora).post(again, {"tells": "lines", "key": "text"})
    assert import_upload(file.upload_id)
    assert Conversation.objects.get().turns[1]["text"].endswith("price: 5")
    assert "loaded as plain text" not in client_of(cora).get(url).content.decode()


def test_a_mapping_that_tells_is_stored_and_old_ones_keep_their_hash():
    told = Mapping(tells="lines", key="a", delimiter=",")
    assert Mapping.from_json(json.loads(json.dumps(told.as_json()))) == told
    assert "tells" not in Mapping(question="a", answer="b").as_json()
