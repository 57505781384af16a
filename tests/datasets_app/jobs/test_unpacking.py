"""Archives become trees of files; hostile and broken ones cost nothing but a sentence."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile

import pytest

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation
from datasets_app.services import choices
from datasets_app.services.blobs import work_path
from otto_web.lib.work.states import State

pytestmark = pytest.mark.django_db(transaction=True)


def pairs(count, word="item"):
    lines = (
        {"input": f"Where is my {word} {n}?", "output": f"The {word} {n} is here."}
        for n in range(count)
    )
    return "\n".join(map(json.dumps, lines)).encode() + b"\n"


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return out.getvalue()


def tarred(members, links=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def verdicts(upload):
    files = upload.files.exclude(parent=None).order_by("depth", "member_no")
    return {file.name: (file.verdict, file.reason) for file in files}


@pytest.mark.slow
@pytest.mark.checklist(52, 61, 62)
def test_good_members_load_and_the_others_say_why(imported, data_dir):
    body = zipped(
        [
            ("chats/a.jsonl", pairs(3, "hat")),
            ("__MACOSX/._a.jsonl", b"junk"),
            ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(80)),
            ("chats/b.jsonl", pairs(2, "shoe")),
        ]
    )
    done = imported("chats.zip", body)
    assert done.state == State.SUCCEEDED
    found = verdicts(done)
    assert found["chats/a.jsonl"] == found["chats/b.jsonl"] == ("loaded", "")
    assert found["__MACOSX/._a.jsonl"] == ("skipped", "junk")
    assert found["logo.png"] == ("skipped", "unsupported_kind")
    assert Conversation.objects.filter(dataset=done.dataset).count() == 5


@pytest.mark.slow
@pytest.mark.checklist(63)
def test_no_temporary_file_stays(imported, data_dir):
    imported("chats.zip", zipped([("a.jsonl", pairs(3))]))
    imported("bad.zip", zipped([("a.jsonl", pairs(4))])[:-30])
    assert list(work_path().iterdir()) == []
    assert list((data_dir / "parts").iterdir()) == []


@pytest.mark.slow
@pytest.mark.checklist(59)
def test_names_and_links_that_try_to_escape_are_listed_as_blocked(imported, data_dir):
    members = [
        ("../../evil.jsonl", pairs(1)),
        ("/etc/passwd", b"x"),
        ("notes..final.txt", b"Hello, all.\n"),
    ]
    done = imported("evil.tar", tarred(members, links=[("link", "/etc/passwd")]))
    found = verdicts(done)
    assert found["notes..final.txt"][0] == "loaded"
    assert {found[name][1] for name in ("../../evil.jsonl", "/etc/passwd")} == {"blocked_name"}
    assert found["link"][1] == "blocked_link"
    assert not list(data_dir.parent.rglob("evil.jsonl"))


@pytest.mark.slow
@pytest.mark.checklist(60)
def test_a_bomb_is_stopped_with_a_clear_sentence(imported):
    done = imported("bomb.zip", zipped([("zeros.txt", bytes(200_000_000))]))
    assert Conversation.objects.count() == 0
    file = done.files.exclude(parent=None).first() or done.files.get()
    assert file.reason == "ratio"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pack"),
    [
        pytest.param("a.tar", bytes, marks=pytest.mark.checklist(53)),
        pytest.param("a.tar.gz", gzip.compress, marks=pytest.mark.checklist(54)),
        pytest.param("a.tar.bz2", bz2.compress, marks=pytest.mark.checklist(55)),
        pytest.param("a.tar.xz", lzma.compress, marks=pytest.mark.checklist(57)),
    ],
)
def test_tar_archives_of_every_packing_load(imported, name, pack):
    done = imported(name, pack(tarred([("in/a.jsonl", pairs(3))])))
    assert verdicts(done) == {"in/a.jsonl": ("loaded", "")}
    assert Conversation.objects.count() == 3


@pytest.mark.slow
@pytest.mark.checklist(56)
def test_a_gz_is_its_inner_file_under_its_own_name(imported):
    assert verdicts(imported("a.jsonl.gz", gzip.compress(pairs(2)))) == {"a.jsonl": ("loaded", "")}


@pytest.mark.slow
@pytest.mark.checklist(58)
def test_archives_in_archives_load_down_to_three_levels(imported):
    one = zipped([("same.jsonl", pairs(1, "hat"))])
    two = zipped([("same.jsonl", pairs(1, "shoe"))])
    deep = zipped([("4.zip", zipped([("deep.jsonl", pairs(1, "sock"))]))])
    done = imported(
        "all.zip",
        zipped([("x/in.zip", one), ("y/in.zip", two), ("3.zip", zipped([("b.zip", deep)]))]),
    )
    loaded = done.files.filter(name="same.jsonl")
    assert {file.parent.name for file in loaded} == {"x/in.zip", "y/in.zip"}
    assert {file.n_records for file in loaded} == {1}
    assert done.files.get(name="4.zip").reason == "too_deep"


@pytest.mark.slow
def test_a_broken_archive_names_the_place_and_offers_what_was_whole(imported, cora):
    noise = hashlib.shake_256(b"noise").hexdigest(400_000).encode()
    body = gzip.compress(tarred([("a.jsonl", pairs(50)), ("b.txt", noise)]))
    done = imported("cut.tar.gz", body[: len(body) * 2 // 3])
    assert done.state == State.FAILED
    root = done.files.get(parent=None)
    assert root.verdict == "failed"
    assert "byte" in root.note
    assert verdicts(done)["a.jsonl"] == ("waiting", "good_member")
    assert choices.load_members(root, by=cora) == 1
    import_upload(done.pk)
    done.refresh_from_db()
    assert done.state == State.SUCCEEDED
    assert Conversation.objects.count() == 50


def test_an_empty_archive_is_a_result(imported):
    done = imported("nothing.zip", zipped([]))
    assert (done.state, done.files.get().reason) == (State.SUCCEEDED, "empty_archive")
