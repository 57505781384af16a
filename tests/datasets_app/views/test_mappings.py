"""What columns hold and who speaks is kept under a name, for the next file and for commands."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.source import Mapping, Speaker, Waiting
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, SavedMapping
from datasets_app.selectors.mappings import cast_as_kept, roles_for
from datasets_app.services.mappings import save_mapping
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = b"asked of us,we said,day\nWhere is it?,It is here.,Monday\n"
OTHER_ORDER = b"day,we said,asked of us\nMonday,It is there now.,Where was it?\n"
PAIR = Mapping(question="asked of us", answer="we said")


@pytest.fixture
def asked(cora, redis_server, data_dir):
    """Give a function that imports a table and returns its file."""

    def done(body):
        upload = receive_whole(NewUpload("calls.csv", len(body)), body, by=cora)
        assert import_upload(upload.pk)
        return upload.files.get()

    return done


@pytest.mark.slow
def test_what_was_said_of_a_table_fills_in_the_form_of_the_next_one(asked, client_of, cora):
    file, client = asked(TABLE), client_of(cora)
    told = {"question": "asked of us", "answer": "we said", "save_as": "Calls"}
    client.post(reverse("file-columns", args=[file.pk]), told)
    assert SavedMapping.objects.get().name == "Calls"
    following = asked(OTHER_ORDER)
    url = reverse("file-detail", args=[following.pk])
    page = client.get(url).content.decode()
    assert "Filled in as kept under" in page
    assert '<option value="asked of us" selected>' in page
    page = client.get(f"{url}?kept=none").content.decode()
    assert "Filled in as kept under" not in page
    client.post(reverse("file-columns", args=[following.pk]), told)
    assert import_upload(following.upload_id)
    assert (
        Conversation.objects.filter(source_file=following)
        .get()
        .turns[0]["text"]
        .startswith("Where")
    )
    assert SavedMapping.objects.count() == 1


def test_a_name_that_stands_for_other_columns_is_not_taken(asked, client_of, cora):
    save_mapping("Calls", ["a", "b"], Mapping(question="a", answer="b"), by=cora)
    file = asked(TABLE)
    told = {"question": "asked of us", "answer": "we said", "save_as": "Calls"}
    answer = client_of(cora).post(reverse("file-columns", args=[file.pk]), told)
    assert answer.status_code == 422
    assert "Take another name" in answer.content.decode()
    file.refresh_from_db()
    assert file.verdict == "waiting"
    with pytest.raises(CorpusError, match="other columns"):
        save_mapping("Calls", ["c"], PAIR, by=cora)


def test_kept_mappings_are_listed_and_deleted(client_of, cora, mia):
    saved = save_mapping("Calls", ["day", "asked of us", "we said"], PAIR, by=cora)
    page = client_of(cora).get(reverse("mapping-list")).content.decode()
    assert "asked of us" in page
    forget = reverse("mapping-forget", args=[saved.pk])
    assert client_of(mia).post(forget).status_code == 403
    client_of(cora).post(forget)
    assert not SavedMapping.objects.exists()
    assert client_of(cora).post(forget).status_code == 404
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert [verb for verb in verbs if "mapping" in verb] == ["mapping.saved", "mapping.forgotten"]


TALK = "[1/5/24, 10:00] {0}: Is the lamp back, please?\n[1/5/24, 10:01] Lamp Desk: Yes, ten are.\n"


@pytest.fixture
def chat(cora, redis_server, data_dir):
    """Give a function that imports a chat with the shop and returns its file."""

    def done(name):
        body = TALK.format(name).encode()
        upload = receive_whole(NewUpload(f"{name}.txt", len(body)), body, by=cora)
        assert import_upload(upload.pk)
        return upload.files.get()

    return done


@pytest.mark.slow
def test_who_answers_is_kept_for_the_next_file_in_which_they_speak(chat, client_of, cora, mia):
    file, client = chat("Ben"), client_of(cora)
    address = reverse("file-speakers", args=[file.pk])
    told = {"role_0": "user", "role_1": "assistant", "others": "user", "save_as": "The shop"}
    assert [one["name"] for one in file.waiting_for["speakers"]] == ["Ben", "Lamp Desk"]
    save_mapping("Calls", ["a", "b"], Mapping(question="a", answer="b"), by=cora)
    refused = client.post(address, told | {"save_as": "Calls"})
    assert "kept for a table with other columns" in refused.content.decode()
    client.post(address, told)
    saved = SavedMapping.objects.get(name="The shop")
    assert saved.mapping == {"roles": {"ben": "user", "lamp desk": "assistant", "*": "user"}}
    listed = client.get(reverse("mapping-list")).content.decode()
    assert "For those who" in listed
    assert "ben, everybody else" in listed

    following = chat("Zoe")  # whoever asks: the shop is the one that is known
    url = reverse("file-detail", args=[following.pk])
    page = " ".join(client.get(url).content.decode().split())
    assert "Filled in as kept under “<bdi>The shop</bdi>”" in page
    assert "Filled in as kept" not in client.get(f"{url}?kept=none").content.decode()
    stranger = following.waiting_for["speakers"][0]["name"]
    asked = Waiting.speakers_from_json(following.waiting_for)
    roles = cast_as_kept(asked, roles_for(asked.speakers), "")["asked"].suggested.roles
    assert (roles[stranger.casefold()], roles["lamp desk"]) == ("user", "assistant")
    assert roles_for([Speaker("Somebody else", 1, 1, 1)]) == []
    assert client_of(mia).get(reverse("mapping-list")).status_code == 403
