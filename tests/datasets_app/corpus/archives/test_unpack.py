from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.archives.openers import open_tar
from datasets_app.corpus.archives.unpack import unpack
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.formats import archived
from datasets_app.corpus.limited.run import Call, ChildError, run_limited
from datasets_app.corpus.source import REASONS
from tests.datasets_app.corpus.archives import endings

MIB = 1 << 20
LIMITS = ArchiveLimits(free_disk_bytes=0)


class Opened:
    """What came out of an archive: members, the bytes of the good ones, and how it ended."""

    def __init__(self, path: Path, into: Path, limits: ArchiveLimits, name: str) -> None:
        self.members, self.contents, self.error = [], {}, None
        archive = identify(path, name).format.archive
        try:
            for member in unpack(path, archive, into, limits, lambda: False, name=name):
                self.members.append(member)
                assert not member.reason or member.reason in REASONS
                if member.path:
                    assert member.path.parent == into
                    self.contents[member.name] = member.path.read_bytes()
        except ChildError as error:
            self.error = error
        assert self.error is None or self.error.code in REASONS
        assert list(into.iterdir()) == []

    @property
    def verdicts(self) -> dict[str, str]:
        return {member.name: member.reason or member.verdict for member in self.members}


@pytest.fixture
def opened(tmp_path):
    """Return a function that unpacks bytes and checks that no temporary file is left."""
    into = tmp_path / "into"
    into.mkdir()

    def open_bytes(data: bytes, limits: ArchiveLimits = LIMITS, name: str = "a") -> Opened:
        path = tmp_path / "blob"
        path.write_bytes(data)
        before = sorted(tmp_path.rglob("*"))
        result = Opened(path, into, limits, name)
        assert sorted(tmp_path.rglob("*")) == before
        return result

    return open_bytes


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method
            archive.writestr(info, data)
    return out.getvalue()


def tarred(members: dict[str, bytes], **fields: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[257:265] = b"ustar\00000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


FILES = {"a.txt": b"hello " * 50, "dir/b.json": b'{"input": "a", "output": "b"}'}
END = b"\0" * 1024


@pytest.mark.checklist(52, 53, 54, 55, 57)
@pytest.mark.parametrize(
    "data",
    [
        zipped(FILES),
        zipped(FILES, zipfile.ZIP_STORED),
        tarred(FILES),
        gzip.compress(tarred(FILES)),
        bz2.compress(tarred(FILES)),
        lzma.compress(tarred(FILES)),
    ],
    ids=["zip", "stored zip", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_archives_give_their_files_byte_for_byte(opened, data):
    result = opened(data)
    assert result.contents == FILES
    assert result.error is None


@pytest.mark.slow
@pytest.mark.checklist(56)
def test_a_packed_file_is_one_member_named_after_it(opened):
    assert opened(gzip.compress(b"text"), name="notes.txt.gz").contents == {"notes.txt": b"text"}
    assert opened(bz2.compress(b"text"), name="notes.bz2").contents == {"notes": b"text"}
    two = gzip.compress(b"one") + gzip.compress(b"two")
    assert opened(two, name="x.gz").contents == {"x": b"onetwo"}
    junk = opened(gzip.compress(b"text") + b"rubbish", name="x.gz")
    assert (junk.contents, junk.verdicts) == ({"x": b"text"}, {"x": "trailing_junk"})


HOSTILE = [
    *("../evil", "/abs", "C:\\win.txt", "..\\evil", "a/../../b", "\\\\host\\share", "./.", "d:x"),
    *("\\\\?\\UNC\\x",),
]
HARMLESS = ["n" * 300, "dot. ", "CON", "notes..final.txt", "a\\b.txt", "\u202egpj.exe", "<b>.txt"]


@pytest.mark.checklist(59)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_try_to_escape_are_listed_and_never_paths(opened, pack):
    result = opened(pack(dict.fromkeys([*HOSTILE, *HARMLESS], b"x")))
    assert {name for name, told in result.verdicts.items() if told == "blocked_name"} == {*HOSTILE}
    assert set(result.contents) == set(HARMLESS)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_are_too_long_or_too_deep_are_listed(opened, pack):
    result = opened(pack({"n" * 4096: b"x", "/".join("a" * 40): b"x", "ok": b"x"}))
    assert list(result.verdicts.values()) == ["bad_name", "bad_name", "ok"]


@pytest.mark.checklist(59)
def test_links_devices_and_sparse_files_are_listed_and_never_made(opened):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
        for number, kind in enumerate(kinds):
            info = tarfile.TarInfo(f"link{number}")
            info.type, info.linkname = kind, "/etc"
            archive.addfile(info)
        info = tarfile.TarInfo("link0/passwd")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    result = opened(out.getvalue()[:-1024].rstrip(b"\0").ljust(10 * 512, b"\0") + END)
    assert [m.reason for m in result.members] == ["blocked_link"] * 4 + [""]
    assert result.contents == {"link0/passwd": b"x"}
    sparse = header(b"big", b"%011o\0" % 0, b"S") + header(b"ok", b"%011o\0" % 0) + END
    assert opened(sparse).verdicts == {"big": "blocked_link", "ok": "ok"}


def test_a_link_inside_a_zip_is_listed(opened):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("ok", "x")
    assert opened(out.getvalue()).verdicts == {"link": "blocked_link", "ok": "ok"}


def test_what_came_through_a_pipe_is_data_and_a_pipe_itself_is_none(opened):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in (("-", b"x"), ("pipe", b"")):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o010600 << 16
            archive.writestr(info, body)
    assert opened(out.getvalue()).verdicts == {"-": "ok", "pipe": "blocked_link"}


def test_a_large_end_record_may_stand_where_nothing_is_large(opened):
    data = zipped({"a.txt": b"x"})
    at = data.rindex(b"PK\x05\x06")
    *_, length, start, _ = struct.unpack_from("<4s4H2LH", data, at)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 798, 45, 0, 0, 1, 1, length, start)
    pointer = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    assert opened(data[:at] + large + pointer + data[at:]).verdicts == {"a.txt": "ok"}
    lying = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 798, 45, 0, 0, 2, 2, length, start)
    assert opened(data[:at] + lying + pointer + data[at:]).error


@pytest.mark.checklist(61)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_helper_files_of_operating_systems_are_junk_at_any_depth(opened, pack):
    names = ["__MACOSX/._a", "x/.DS_Store", "x/Thumbs.db", "desktop.ini", "r/.git/HEAD", "~$a.docx"]
    result = opened(pack(dict.fromkeys([*names, "a.txt"], b"x")))
    assert list(result.verdicts.values()) == ["junk"] * 6 + ["ok"]


def deflate_bomb(size: int) -> bytes:
    return zipped({"zeros": b"\0" * size, "ok": b"x"})


@pytest.mark.slow
@pytest.mark.checklist(60)
def test_a_bomb_in_a_zip_is_stopped_and_its_sibling_loads(opened):
    result = opened(deflate_bomb(20 * MIB))
    assert result.verdicts == {"zeros": "ratio", "ok": "ok"}
    assert set(result.contents) == {"ok"}


@pytest.mark.slow
@pytest.mark.checklist(60)
@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: gzip.compress(data[: len(data) // 2]) * 2,
        bz2.compress,
        lambda data: lzma.compress(data, preset=1),
        lambda data: bz2.compress(tarred({"zeros": data})),
        lambda data: gzip.compress(tarred({"zeros": data})),
    ],
    ids=["gz", "two gz", "bz2", "xz", "tar.bz2", "tar.gz"],
)
def test_a_packed_bomb_is_stopped_by_what_it_really_produces(opened, pack):
    result = opened(pack(b"\0" * (20 * MIB)))
    assert result.error.code == "ratio"
    assert result.contents == {}


@pytest.mark.slow
@pytest.mark.checklist(60)
def test_totals_and_counts_stop_an_archive_after_what_was_verified(opened):
    many = {str(n): bytes([n]) * 10_000 for n in range(50)}
    total = opened(tarred(many), replace(LIMITS, total_bytes=300_000))
    assert (total.error.code, bool(total.contents)) == ("total_cap", True)
    assert opened(tarred(many), replace(LIMITS, members=9)).error.code == "too_many"
    assert opened(zipped(many), replace(LIMITS, members=9)).error.code == "too_many"
    capped = opened(zipped(many), replace(LIMITS, member_bytes=999))
    assert set(capped.verdicts.values()) == {"member_cap"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_bounded_fail_by_name(opened, method):
    result = opened(zipped({"a": b"\0" * MIB}, method))
    assert result.verdicts == {"a": "bad_method"}


@pytest.mark.parametrize("kind", [b"x", b"L", b"g", b"K"])
def test_an_enormous_tar_header_is_refused_before_it_is_read(opened, kind):
    nothing_follows = header(b"h", b"%011o\0" % (256 * MIB), kind)
    assert opened(bz2.compress(nothing_follows)).error.code == "header_cap"


def test_an_xz_that_asks_for_a_huge_dictionary_fails(opened):
    small = lzma.compress(b"x" * 100, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    limits = replace(LIMITS, dictionary_bytes=1 << 20)
    assert opened(small, limits, name="a.xz").error.code == "bad_archive"


@pytest.mark.slow
def test_a_zip_whose_records_lie_is_refused_as_a_whole(opened):
    good = zipped(FILES, zipfile.ZIP_STORED)
    end = good.rindex(b"PK\5\6")
    central = good.index(b"PK\1\2")
    cases = {
        "bytes after the end": good + b"x",
        "two end records": good + good[end:],
        "cut short": good[:-30],
        "huge count": good[: end + 8] + struct.pack("<HH", 60_000, 60_000) + good[end + 12 :],
        "huge directory": good[: end + 12] + struct.pack("<L", 1 << 30) + good[end + 16 :],
        "zip64 without record": good[: end + 16] + b"\xff" * 4 + good[end + 20 :],
        "local name differs": good.replace(b"a.txt", b"b.txt", 1),
        "local method differs": good[:8] + b"\x08\0" + good[10:],
        "local size differs": good[:22] + b"\x01\0\0\0" + good[26:],
        "overlap": good[: central + 20] + struct.pack("<LL", 400, 400) + good[central + 28 :],
        "junk in front": b"PK\3\4junk" + good,
    }
    for what, data in cases.items():
        result = opened(data)
        assert result.error is not None, what
        assert result.error.code in {"bad_archive", "too_many"}, what
        assert result.contents == {}, what


def test_one_name_twice_is_a_bad_zip_and_an_update_in_a_tar(opened):
    twice = zipped({"a": b"1", "b": b"2"}).replace(b"b", b"a")
    assert opened(twice).error.code == "bad_archive"
    both = opened(tarred({"a": b"1"})[:1024] + tarred({"a": b"2"}))
    assert [(m.name, m.verdict, m.reason) for m in both.members] == [
        ("a", "ok", ""),
        ("a", "ok", "repeated_name"),
    ]


@pytest.mark.slow
@pytest.mark.checklist(62)
def test_a_damaged_member_fails_alone(opened):
    good = zipped({"a": b"first file", "b": b"second"}, zipfile.ZIP_STORED)
    assert opened(good.replace(b"first", b"FIRST")).verdicts == {"a": "bad_crc", "b": "ok"}
    packed = bytearray(zipped({"a": bytes(range(256)) * 20, "b": b"x"}))
    packed[40] ^= 0xFF
    assert opened(bytes(packed)).verdicts["b"] == "ok"
    locked = good.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0", 1)
    at = locked.index(b"PK\1\2")
    locked = locked[: at + 8] + b"\1\0" + locked[at + 10 :]
    assert opened(locked).verdicts == {"a": "encrypted", "b": "ok"}


@pytest.mark.slow
@pytest.mark.checklist(62, 63)
@pytest.mark.parametrize("packing", ["zip", "tar", "tar.gz", "tar.bz2"])
def test_an_archive_cut_anywhere_says_so_and_leaves_nothing(opened, packing):
    files = {f"{n}.bin": bytes(n * i * i % 251 for i in range(7000)) for n in range(1, 6)}
    pack = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress}
    data = (
        zipped(files)
        if packing == "zip"
        else pack[packing](tarred(files)[: 5 * (512 + 7168) + 1024])
    )
    for part in range(2, 15, 3):
        result = opened(data[: len(data) * part // 16], name=f"a.{packing}")
        assert result.error.code == "bad_archive", part
        assert all(result.contents[name] == files[name] for name in result.contents)


@pytest.mark.slow
@pytest.mark.parametrize(
    "block",
    [
        header(b"a", b"\xff" * 12),
        header(b"a", b"\x80" + b"\xff" * 11),
        header(b"a", b"-0000000001\0"),
        header(b"a", b"%011o\0" % 5)[:100] + b"Z" + header(b"a", b"%011o\0" % 5)[101:],
        header(b"p", b"%011o\0" % 512, b"x") + b"12 size=-99\n".ljust(512, b"\0"),
        header(b"p", b"%011o\0" % 512, b"x") + b"99999 path=x\n".ljust(512, b"\0"),
    ],
    ids=["negative", "huge", "minus", "checksum", "pax size", "pax length"],
)
def test_a_tar_header_that_lies_names_its_place(opened, block):
    result = opened(header(b"ok", b"%011o\0" % 0) + block + END)
    assert result.error.code == "bad_archive"
    assert "byte" in str(result.error)
    assert set(result.contents) == {"ok"}


def test_large_pax_names_and_sizes_are_believed_within_their_limits(opened):
    name = "ä" * 200 + "/long.txt"
    assert opened(tarred({name: b"x"})).contents == {name: b"x"}


@pytest.mark.slow
def test_empty_archives_hold_no_files(opened):
    for data in (zipped({}), b"\0" * 10240, zipped({"folder/": b""})):
        result = opened(data)
        assert (result.members, result.error) == ([], None)


@pytest.mark.slow
@pytest.mark.checklist(58)
def test_archives_in_archives_share_one_budget_and_end_at_three_levels(opened, tmp_path):
    inner = zipped({"deep.txt": b"x" * 1000})
    result = opened(gzip.compress(tarred({"one/in.zip": inner, "two/in.zip": inner})))
    assert set(result.contents) == {"one/in.zip", "two/in.zip"}
    left = LIMITS.inside(members=2, size=2 * len(inner))
    assert (left.members, left.depth) == (LIMITS.members - 2, 2)
    assert opened(inner, left).contents == {"deep.txt": b"x" * 1000}
    assert opened(inner, replace(left, depth=0)).error.code == "too_deep"
    assert opened(inner, replace(left, total_bytes=10)).error.code == "total_cap"


MORE = {"c.txt": b"another one " * 50}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_put_behind_another_is_read_too(opened, pack):
    result = opened(pack(tarred(FILES) + tarred(MORE) + END))
    assert result.contents == FILES | MORE
    assert result.error is None


@pytest.mark.parametrize("junk", [b"junk", b"junk " * 200])
def test_what_stands_behind_a_tar_and_is_none_is_told(opened, junk):
    result = opened(tarred(FILES) + junk)
    assert result.contents == FILES
    assert result.members[-1].reason == "trailing_junk"
    packed = opened(gzip.compress(tarred(FILES)) + junk)
    assert (packed.contents, packed.members[-1].reason) == (FILES, "trailing_junk")


@pytest.mark.parametrize(
    ("call", "code", "logged"),
    [
        (Call(open_tar, (), LIMITS), "own_fault", "TypeError"),  # it takes two arguments more
        (Call(zipfile.ZipFile, (), LIMITS), "bad_document", "ValueError"),
        (Call(endings.at_once, (), LIMITS), "own_fault", "ended with 3"),
        (Call(endings.without_memory, (), LIMITS), "stopped", "MemoryError"),
        (Call(endings.killed, (), LIMITS), "stopped", "ended with -9"),
    ],
)
def test_a_mistake_of_ours_is_no_fault_of_the_file_and_stands_in_the_log(
    tmp_path, caplog, call, code, logged
):
    path = tmp_path / "blob"
    path.write_bytes(b"any bytes")
    with pytest.raises(ChildError) as error:
        list(run_limited(path, call, bool))
    assert error.value.code == code
    assert logged in caplog.text


@pytest.mark.checklist(63)
def test_a_person_can_stop_it_and_nothing_is_left(tmp_path):
    path, into = tmp_path / "blob", tmp_path / "into"
    path.write_bytes(tarred(FILES))
    into.mkdir()
    members = unpack(path, archived.TAR.archive, into, LIMITS, lambda: True)
    with pytest.raises(ChildError, match="by a person"):
        next(members)
    left_early = unpack(path, archived.TAR.archive, into, LIMITS, lambda: False)
    next(left_early)
    left_early.close()
    assert list(into.iterdir()) == []


def test_a_child_without_enough_memory_costs_one_file(opened):
    result = opened(lzma.compress(tarred(FILES)), replace(LIMITS, memory_bytes=24 * MIB))
    assert result.error.code == "stopped"


def test_the_child_imports_no_framework():
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    script = (
        "import sys, datasets_app.corpus.limited.child;"
        "print(*{m.split('.')[0] for m in sys.modules} & {'django', 'celery', 'torch'},"
        " *(m for m in sys.modules if m.startswith('otto_web.') and m not in"
        " {'otto_web.lib', 'otto_web.lib.disk'}))"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
