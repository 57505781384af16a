"""Two tables of an upload become one by a key, and what found nothing is counted."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.joining import Key, Table, as_csv, joined, likely_key
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Upload
from datasets_app.services.receiving import NewUpload, receive_whole
from tests.datasets_app.office import open_document, open_sheet, workbook

CUSTOMERS = "id;name;city\n7;Anna;Köln\n8;Ben;Rom\n9;Cleo;Oslo\n9;Cleo B;Oslo\n"
TICKETS = "ticket;customer_id;name\n1;7;Lamp broken\n2; 8 ;Late\n3;99;Lost\n4;;Odd\n5;7;Again\n"
LEFT = Table("tickets.csv", ("ticket", "customer_id", "name"), [
    ["1", "7", "Lamp"], ["2", " 8 ", "Late"], ["3", "99", "Lost"], ["4", "", "Odd"]])  # fmt: skip
RIGHT = Table(
    "customers.csv", ("id", "name"), [["7", "Anna"], ["8", "Ben"], ["8", "Bea"], ["9", "C"]]
)


def test_every_row_stays_once_and_what_found_nothing_is_counted():
    found = joined(LEFT, RIGHT, Key("customer_id", "id"))
    assert found.columns == ("ticket", "customer_id", "name", "customers name")
    assert [row[3] for row in found.rows] == ["Anna", "Ben", "", ""]
    assert (found.met, found.missing, found.empty) == (2, 1, 1)
    assert (found.unused, found.repeated) == (1, 1)
    assert as_csv(found).decode().splitlines()[1] == "1,7,Lamp,Anna"
    with pytest.raises(CorpusError, match="no column “x”"):
        joined(LEFT, RIGHT, Key("x", "id"))


def test_the_key_is_where_values_meet_and_the_other_side_is_unique():
    unique = Table("customers.csv", RIGHT.columns, [["7", "Anna"], ["8", "Ben"], ["9", "C"]])
    assert likely_key(LEFT, unique) == Key("customer_id", "id")
    assert likely_key(LEFT, Table("x.csv", ("a",), [["q"], ["r"]])) is None
    assert likely_key(Table("e.csv", ("a",), []), unique) is None


@pytest.mark.slow
def test_many_rows_are_joined_at_once():
    rows = [[str(n), str(n % 50_000)] for n in range(100_000)]
    left = Table("l.csv", ("n", "id"), rows)
    right = Table("r.csv", ("id", "name"), [[str(n), f"N{n}"] for n in range(50_000)])
    assert likely_key(left, right) == Key("id", "id")
    assert joined(left, right, Key("id", "id")).met == 100_000


def zipped(cora, **files):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    upload = receive_whole(NewUpload("shop.zip", len(body.getvalue())), body.getvalue(), by=cora)
    import_upload(upload.pk)
    return upload


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server", "data_dir")
def test_two_tables_of_a_zip_are_joined_and_then_told_like_any_table(client_of, cora, mia):
    upload = zipped(cora, customers=CUSTOMERS.replace("9;Cleo B;Oslo\n", ""), tickets=TICKETS)
    client, at = client_of(cora), reverse("tables-join", args=[upload.pk])
    assert at in client.get(reverse("upload-detail", args=[upload.pk])).content.decode()
    page = client.get(at)
    choice = page.context["choice"]
    assert (choice.left.name, choice.key) == ("tickets.csv", Key("customer_id", "id"))
    assert [row[3:] for row in page.context["shown"][:2]] == [["Anna", "Köln"], ["Ben", "Rom"]]
    chosen = {"left": choice.left.id, "right": choice.right.id}
    keys = {"left_key": "customer_id", "right_key": "id"}
    answer = client.post(at, chosen | keys)
    made = Upload.objects.exclude(pk=upload.pk).get()
    assert answer.url == reverse("upload-detail", args=[made.pk])
    assert made.name == "tickets with customers.csv"
    import_upload(made.pk)
    file = made.files.get()
    assert file.verdict == "waiting"
    columns = ["ticket", "customer_id", "name", "customers name", "city"]
    assert file.waiting_for["columns"] == columns
    other = client.get(at, chosen | {"left_key": "name", "right_key": "name"}).content.decode()
    assert "No key of the first table" in other
    assert client.get(at, {**chosen, "right": choice.left.id}).status_code == 422
    assert client_of(mia).get(at).status_code == 403
    alone = zipped(cora, customers="id;name\n1;Anna\n")
    assert client.get(reverse("tables-join", args=[alone.pk])).status_code == 302


CUSTOMER_ROWS = [["id", "name", "note"], [7, "Anna", "two\nlines"], [8, "Ben", ""]]
TICKET_ROWS = [["ticket", "customer_id"], [1, 7], [2, 8], [3, 99]]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server", "data_dir")
@pytest.mark.checklist(110)
@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_two_sheets_of_a_workbook_are_joined(client_of, cora, ending):
    tables = {"Customers": CUSTOMER_ROWS, "Tickets": TICKET_ROWS}
    body = "".join(open_sheet(title, rows) for title, rows in tables.items())
    data = workbook(**tables) if ending == "xlsx" else open_document("spreadsheet", body)
    upload = receive_whole(NewUpload(f"shop.{ending}", len(data)), data, by=cora)
    import_upload(upload.pk)
    client, at = client_of(cora), reverse("tables-join", args=[upload.pk])
    assert at in client.get(reverse("upload-detail", args=[upload.pk])).content.decode()
    page = client.get(at)
    choice = page.context["choice"]
    assert (choice.left.name, choice.key) == ("Tickets", Key("customer_id", "id"))
    shown = [["1", "7", "Anna", "two\nlines"], ["2", "8", "Ben", ""], ["3", "99", "", ""]]
    assert page.context["shown"] == shown
    keys = {"left_key": "customer_id", "right_key": "id"}
    client.post(at, {"left": choice.left.id, "right": choice.right.id, **keys})
    made = Upload.objects.exclude(pk=upload.pk).get()
    assert made.name == "Tickets with Customers.csv"
    import_upload(made.pk)
    columns = ["ticket", "customer_id", "name", "note"]
    assert made.files.get().waiting_for["columns"] == columns
    joined = made.files.get()
    told = {"tells": "template", "key": "ticket", "asks": "Whose is ticket {{ticket}}?"}
    told["template"] = 'It is of {{name|or:"nobody"}}, customer {{customer_id}}.'
    assert client.post(reverse("file-columns", args=[joined.pk]), told).status_code == 302
    import_upload(made.pk)
    made.refresh_from_db()
    rows = made.dataset.conversations.order_by("position").values_list("turns", flat=True)
    assert [[turn["text"] for turn in turns] for turns in rows] == [
        ["Whose is ticket 1?", "It is of Anna, customer 7."],
        ["Whose is ticket 2?", "It is of Ben, customer 8."],
        ["Whose is ticket 3?", "It is of nobody, customer 99."],
    ]
