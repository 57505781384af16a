"""Where a packed member of a zip ends."""

from __future__ import annotations

import io
import zlib

import pytest

from datasets_app.corpus.archives.limits import MemberStop
from datasets_app.corpus.archives.zipped import BLOCK, DEFLATED, Entry, _inflated


def packed(data):
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush()


def inflated(raw, size):
    entry = Entry(b"a", 0, DEFLATED, 0, len(raw), size, offset=0, mode=0)
    return b"".join(piece for piece, _ in _inflated(io.BytesIO(raw), entry))


@pytest.mark.parametrize("pattern", [b"\0", b"ab", b"a line of text\n"])
def test_what_zlib_holds_back_at_the_end_of_a_full_block_is_not_forgotten(pattern):
    for size in (*range(BLOCK - 3, BLOCK + 300), 2 * BLOCK + 1, 2 * BLOCK + 259):
        data = (pattern * (size // len(pattern) + 1))[:size]
        assert inflated(packed(data), size) == data


@pytest.mark.parametrize("more", [b"x", b"x" * 3 * BLOCK])
def test_bytes_behind_the_packed_data_fail_the_member(more):
    with pytest.raises(MemberStop, match="does not end where"):
        inflated(packed(b"data") + more, 4)
