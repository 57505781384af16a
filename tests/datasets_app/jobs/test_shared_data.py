"""Each public data set through the whole import: what is right was written down by reading it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from itertools import islice
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"
DATA = SHARED / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not DATA.exists(), reason="the data lies beside the repository only"),
]


def lines(place: str, count: int) -> bytes:
    """Return the first lines of a large file."""
    with (DATA / place).open("rb") as file:
        return b"".join(islice(file, count))


@pytest.fixture
def loaded(imported):
    """Give a function that imports files as one zip and says what became of each."""

    def done(*places, **made):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            for place in places:
                archive.write(DATA / place, place)
            for name, data in made.items():
                archive.writestr(name, data)
        upload = imported("set.zip", body.getvalue())
        files = upload.files.exclude(parent=None).order_by("member_no")
        return upload, {file.name: file for file in files}

    return done


def told(file):
    return file.kind, file.verdict, file.reason, file.n_records


def talks(upload, file=None):
    rows = upload.dataset.conversations.order_by("position")
    rows = rows.filter(source_file=file) if file else rows
    return [[(turn["role"], turn["text"]) for turn in row.turns] for row in rows]


LOADED, WAITS = "loaded", "waiting"


@pytest.mark.parametrize(
    ("place", "kind", "begins", "misses"),
    [
        ("18f-handbook/pages/18f/chapters/account-manager.md", "md", "Account Managers", "title:"),
        ("laravel-docs/ai.md", "md", "# AI Assisted Development", "\0"),
        ("fastapi-docs-multilang/de/docs/deployment/cloud.md", "md", "# FastAPI-Deployment", "\0"),
        ("peps-rst/pep-0002.rst", "rst", "PEP: 2\nTitle: Procedure for Adding New", "\0"),
        ("bad-words/de", "txt", "analritter\narsch\n", "\0"),
        ("naughty-strings/blns.txt", "txt", "#\tReserved Strings", "\0"),
    ],
)
def test_documents_become_passages(imported, place, kind, begins, misses):
    path = DATA / place
    upload = imported(path.name, path.read_bytes())
    file = upload.files.get()
    assert (file.kind, file.verdict, file.n_failed) == (kind, LOADED, 0)
    found = talks(upload)
    assert all(len(talk) == 1 and talk[0][0] == "text" for talk in found)
    assert found[0][0][1].startswith(begins)
    assert misses not in str(found)


def test_a_play_with_many_speakers_is_plain_text(imported):
    path = DATA / "tinyshakespeare/input.txt"
    upload = imported("shakespeare.txt", path.read_bytes()[:200_000])
    assert told(upload.files.get())[:2] == ("txt", LOADED)
    assert talks(upload)[0][0][1].startswith("First Citizen:\nBefore we proceed any further")


def test_a_handbook_in_word_is_read(imported):
    (path,) = (DATA / "techfar-docx-pdf").glob("*.docx")
    upload = imported(path.name, path.read_bytes())
    file = upload.files.get()
    assert (file.kind, file.verdict, file.n_parts_failed) == ("docx", LOADED, 0)
    assert any("TechFAR" in talk[0][1] for talk in talks(upload))


@pytest.mark.parametrize(
    ("place", "count", "kind", "first"),
    [
        ("banking77/test.csv", 200, "csv", [("text", "How do I locate my card?")]),
        (
            "korean-chatbot/ChatbotData.csv",
            200,
            "csv",
            [("user", "12시 땡!"), ("assistant", "하루가 또 가네요.")],
        ),
    ],
)
def test_tables_with_known_names_are_loaded_row_by_row(imported, place, count, kind, first):
    upload = imported("rows.csv", lines(place, count))
    assert told(upload.files.get()) == (kind, LOADED, "", count - 1)
    assert talks(upload)[0] == first


@pytest.mark.parametrize(
    ("place", "count", "begins", "roles"),
    [
        ("gsm8k-qa/test.jsonl", 100, "Janet’s ducks lay 16 eggs", ["user", "assistant"]),
        (
            "sgd-dialogues/derived_train_dialogs.jsonl",
            60,
            "I am feeling hungry so I would like to find a place to eat.",
            ["user", "assistant"] * 5,
        ),
        (
            "taskmaster4-coffee/derived_all_dialogs.jsonl",
            100,
            "one Chai Latte please",
            ["user", "assistant"] * 2,
        ),
        ("format-samples/c4_demo.jsonl", 4, "Don’t think you need all the bells", ["text"]),
        (
            "format-samples/seed_tasks.jsonl",
            60,
            "Is there anything I can eat",
            ["user", "assistant"],
        ),
    ],
)
def test_lines_of_json_are_conversations(imported, place, count, begins, roles):
    upload = imported("lines.jsonl", lines(place, count))
    found = talks(upload)
    assert told(upload.files.get()) == ("jsonl", LOADED, "", count)
    assert len(found) == count
    assert found[0][0][1].startswith(begins)
    assert [role for role, _ in found[0]][: len(roles)] == roles
    assert {role for talk in found for role, _ in talk} == set(roles)


def test_support_chats_inside_a_zip_speak_in_two_roles(imported):
    (path,) = (DATA / "cucom-ecommerce").rglob("*.zip")
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".jsonl")]
        with archive.open(name) as file:
            head = b"".join(islice(file, 150))
    upload = imported("chats.jsonl", head)
    found = talks(upload)
    assert len(found) == 150
    assert {role for talk in found for role, _ in talk} == {"user", "assistant"}


@pytest.mark.parametrize(
    ("place", "count", "asked"),
    [
        ("format-samples/identity.json", 91, "hi"),
        ("taskmaster4-coffee/data/data_07.json", 210, "I'd like two mochas, please."),
    ],
)
def test_json_of_known_shapes_is_loaded_whole(imported, place, count, asked):
    path = DATA / place
    upload = imported(path.name, path.read_bytes())
    assert told(upload.files.get()) == ("json", LOADED, "", count)
    assert talks(upload)[0][0][1].startswith(asked)


def test_questions_of_many_houses_name_the_house(imported):
    whole = json.loads((DATA / "dstc9-faq/knowledge.json").read_text("utf-8"))
    houses = dict(islice(whole["hotel"].items(), 12))
    upload = imported("faq.json", json.dumps({"hotel": houses}).encode())
    told = [(house["name"], doc) for house in houses.values() for doc in house["docs"].values()]
    assert len(told) > 100
    assert talks(upload) == [
        [("user", f"{name}\n\n{doc['title']}"), ("assistant", doc["body"])] for name, doc in told
    ]


@pytest.mark.parametrize("place", ["squad2-dev/dev-v2.0.json", "xquad/xquad.de.json"])
def test_questions_about_a_text_have_its_text_before_them(imported, place):
    whole = json.loads((DATA / place).read_text("utf-8"))
    texts = whole["data"][0]["paragraphs"][:8]
    asked = [(text, qa) for text in texts for qa in text["qas"]]
    whole["data"] = [{**whole["data"][0], "paragraphs": texts}]
    upload = imported("nest.json", json.dumps(whole).encode())
    answered = [(text, qa) for text, qa in asked if qa["answers"]]
    assert upload.files.get().n_issues == len(asked) - len(answered)
    assert talks(upload) == [
        [
            ("user", f"{text['context']}\n\n{qa['question']}"),
            ("assistant", qa["answers"][0]["text"]),
        ]
        for text, qa in answered
    ]


def test_naughty_strings_stay_as_they_are(imported):
    path = DATA / "naughty-strings/blns.json"
    texts = json.loads(path.read_text("utf-8"))
    found = talks(imported(path.name, path.read_bytes()))
    assert len(found) == len(texts) == 515
    odd = [text for text, talk in zip(texts, found, strict=True) if talk != [("text", text)]]
    assert all("\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text) for text in odd)


def test_calls_are_conversations_where_they_say_who_speaks(loaded):
    folder = DATA / "ms-call-transcripts"
    flat = sorted((folder / "calltranscripts").iterdir())[:5]
    spoken = sorted((folder / "transcriptsdata").glob("*.json"))[:8]
    upload, files = loaded(*(str(path.relative_to(DATA)) for path in (*flat, *spoken)))
    assert {told(file) for file in files.values()} == {("json", LOADED, "", 1)}
    for file in files.values():
        (talk,) = talks(upload, file)
        roles = {role for role, _ in talk}
        assert roles == ({"text"} if "/calltranscripts/" in file.name else {"user", "assistant"})


def test_talks_in_yaml_are_dialogues(loaded):
    names = ("german/conversations.yml", "german/health.yml", "ukrainian/history.yml")
    upload, files = loaded(*(f"chatterbot-corpus/{name}" for name in names))
    assert [told(file) for file in files.values()] == [
        ("yaml", LOADED, "", 11),
        ("yaml", LOADED, "", 1),
        ("yaml", LOADED, "", 6),
    ]
    first, health, _ = files.values()
    assert talks(upload, first)[0][:2] == [
        ("user", "Guten Morgen, wie geht es dir?"),
        ("assistant", "Mir geht es gut und wie geht es dir?"),
    ]
    assert [role for role, _ in talks(upload, health)[0]] == ["user", "assistant"] * 4 + ["user"]


def test_exports_of_chat_apps_ask_who_is_who(loaded):
    _upload, files = loaded(
        *(str(path.relative_to(DATA)) for path in sorted((DATA / "chat-exports").rglob("test_*")))
    )
    assert {name.split("/")[1] for name, file in files.items() if file.verdict == WAITS} == {
        *("instagram", "signal", "telegram", "whatsapp")
    }
    whatsapp = [file for name, file in files.items() if "/whatsapp/" in name]
    assert len(whatsapp) == 5
    for file in whatsapp:
        asked = sorted(one["name"].casefold() for one in file.waiting_for["speakers"])
        assert asked == [
            "jahn doe",
            "john doe",
            "john doe 🤓",
            "john-john doe",
            "🤓",
        ]
    (signal,) = [file for name, file in files.items() if "/signal/" in name]
    asked = [one["name"].casefold() for one in signal.waiting_for["speakers"]]
    assert asked == ["jane doe", "john doe"]
    telegram = [file for name, file in files.items() if "/telegram/" in name]
    for file in telegram:  # numbers and not names: who answers is asked, too
        assert len(file.waiting_for["speakers"]) == 2


def test_logs_of_voices_and_channels_ask_who_is_who(loaded):
    irc = "irc-ubuntu-support/train/2005-02-06.train-c.raw.txt"
    _, files = loaded(irc, TEC=lines("spacelog-apollo13/a13/transcripts/TEC", 900))
    assert {file.reason for file in files.values()} == {"needs_speakers"}
    asked = {one["name"].casefold() for one in files["TEC"].waiting_for["speakers"]}
    assert {"lcc", "cdr", "cmp", "lmp", "cc"} <= asked
    assert len(files[irc].waiting_for["speakers"]) > 10


def test_tables_of_facts_wait_and_offer_a_key(loaded):
    folder = DATA / "northwind-csv"
    places = [str(path.relative_to(DATA)) for path in sorted(folder.glob("*.csv"))]
    made = {"churn.csv": lines("telco-churn-csv/Telco-Customer-Churn.csv", 60)}
    _, files = loaded(*places, **made)
    assert len(files) == 12
    assert {file.reason for file in files.values()} == {"needs_mapping"}
    keys = {Path(name).stem: file.waiting_for["suggested"] for name, file in files.items()}
    assert keys["customers"]["key"] == "companyName"
    assert keys["products"]["key"] == "productName"
    assert keys["churn"]["key"] == "customerID"
    assert keys["churn"]["tells"] == "questions"


def test_a_table_without_names_loses_no_row(imported):
    upload = imported("sms.tsv", lines("sms-spam/sms.tsv", 60))
    asked = upload.files.get().waiting_for
    assert asked["columns"] == ["column 1", "column 2"]
    assert asked["rows"][0][0] == "ham"
    assert asked["rows"][0][1].startswith("Go until jurong point")


def test_labelled_sentences_wait_for_their_columns(imported):
    path = DATA / "pii-samples/generated_small.json"
    file = imported(path.name, path.read_bytes()).files.get()
    assert (file.verdict, file.reason) == (WAITS, "needs_mapping")
    assert file.waiting_for["columns"][:2] == ["full_text", "masked"]


def test_surveys_wait_and_two_of_them_first_for_their_encoding(loaded):
    places = sorted((DATA / "fivethirtyeight-csv").rglob("*.csv"))
    small = [path for path in places if path.stat().st_size < 50_000]
    _, files = loaded(*(str(path.relative_to(DATA)) for path in small))
    by_reason = {Path(name).stem: file.reason for name, file in files.items()}
    assert by_reason.pop("avengers") == "needs_encoding"
    assert set(by_reason.values()) == {"needs_mapping"}


def test_odd_tables_keep_their_columns(loaded):
    folder = DATA / "csv-spectrum"
    paths = sorted((folder / "csvs").glob("*.csv"))
    _, files = loaded(*(str(path.relative_to(DATA)) for path in paths))
    for path in paths:
        file = files[str(path.relative_to(DATA))]
        assert (file.verdict, file.reason) == (WAITS, "needs_mapping")
        with path.open(encoding="utf-8", newline="") as opened:
            header, *rows = csv.reader(opened)
        assert file.waiting_for["columns"] == header
        assert file.waiting_for["rows"] == rows


ENCODED = {
    "arabic-1": ("cp1256", "بالموازاة مع ذلك"),
    "chinese": ("cp950", "維基大典"),
    "french-1": ("cp1252", "JEAN-BAPTISTE POQUELIN MOLIÈRE"),
    "greek": ("cp1253", "\u0397 ελληνική αποτελεί"),
    "hebrew-2": ("cp1255", "אין כמעט ניבים אזוריים"),
    "korean": ("cp949", "역사적 예수 연구자들은"),
    "russian": ("mac-cyrillic", "\u0412 гимназии он не был"),
    "turkish": ("cp1254", "İstanbul, Türkiye'nin en kalabalık"),
    "russian-3": ("utf-8", "Москва́ (произношение"),
}


def test_texts_in_many_encodings_are_read_right(loaded):
    upload, files = loaded(*(f"charset-samples/sample-{name}.txt" for name in ENCODED))
    for name, (encoding, begins) in ENCODED.items():
        file = files[f"charset-samples/sample-{name}.txt"]
        assert file.encoding == encoding
        assert talks(upload, file)[0][0][1].startswith(begins)


def test_subtitles_good_and_broken_give_their_words(loaded):
    paths = sorted((DATA / "subtitle-formats").glob("*.*"))
    captions = [path for path in paths if path.suffix in {".vtt", ".srt", ".sbv"}]
    upload, files = loaded(*(str(path.relative_to(DATA)) for path in captions))
    for path in captions:
        file = files[str(path.relative_to(DATA))]
        assert file.verdict == ("skipped" if path.stem in {"empty", "no_captions"} else LOADED)
        is_text = path.stem.startswith("invalid_format")
        if file.verdict == LOADED and not is_text:
            assert file.kind == "subtitle"
            assert "-->" not in str(talks(upload, file))


def test_every_file_of_the_json_test_suite_ends_well(loaded):
    paths = sorted((DATA / "json-test-suite").rglob("*.json"))[::6]
    _, files = loaded(*(str(path.relative_to(DATA)) for path in paths))
    assert len(files) == len(paths)
    for name, file in files.items():
        assert file.verdict in {LOADED, "skipped", "failed", WAITS}, name
        assert file.reason != "own_fault", name
