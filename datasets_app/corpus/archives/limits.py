"""What an archive may cost, shared by the job and by the child that unpacks; needs no library."""

from __future__ import annotations

from dataclasses import dataclass, replace

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """One budget for an upload: sizes count bytes really produced, never declared ones."""

    members: int = 50_000
    directory_bytes: int = 32 * MIB
    member_bytes: int = 4 * GIB
    total_bytes: int = 20 * GIB
    member_ratio: int = 200
    member_ratio_from: int = 16 * MIB
    total_ratio: int = 100
    total_ratio_from: int = 64 * MIB
    text_ratio: int = 1_000  # a text may stand in a document once and be shown in many rows
    text_ratio_from: int = 256 * MIB
    header_bytes: int = 64 * KIB
    dictionary_bytes: int = 128 * MIB
    free_disk_bytes: int = 0  # what stays free on the disk, whatever is unpacked
    memory_bytes: int = 1 * GIB
    cpu_seconds: int = 600
    wall_seconds: int = 900
    depth: int = 3

    @classmethod
    def of_document(cls) -> ArchiveLimits:
        """Return what one document may cost: far less than a whole archive."""
        return cls(members=10_000, total_bytes=4 * GIB)

    def inside(self, *, members: int, size: int) -> ArchiveLimits:
        """Return what is left for an archive one level deeper."""
        return replace(
            self,
            members=max(0, self.members - members),
            total_bytes=max(0, self.total_bytes - size),
            depth=self.depth - 1,
        )


class ArchiveStop(Exception):  # noqa: N818 - it ends a member or an archive, which is no accident
    """Why unpacking ends: `code` is a reason, `at` the byte position in the archive."""

    def __init__(self, code: str, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


class MemberStop(ArchiveStop):
    """Only this member fails; its siblings are still read."""


class Meter:
    """Counts what an archive produces and consumes, and stops it at the limits."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.produced = 0
        self.consumed = 0
        self.headers = 0
        self.packed = 0
        self._told = 0
        self._member = (0, 0)

    def begin_member(self) -> None:
        self._member = (self.produced, self.consumed)

    def count_header(self, at: int) -> None:
        """Count one directory entry or header that was walked."""
        self.headers += 1
        if self.headers > self.limits.members:
            message = f"The archive holds more than {self.limits.members:,} files."
            raise ArchiveStop("too_many", message, at)

    def add(self, produced: int, consumed: int) -> None:
        """Count bytes; raises at the first limit that is passed."""
        self.produced += produced
        self.consumed += consumed
        limits = self.limits
        if self.produced > limits.total_bytes:
            message = f"The archive unpacks to more than {limits.total_bytes:,} bytes."
            raise ArchiveStop("total_cap", message, self.consumed)
        if self.produced > max(limits.total_ratio_from, limits.total_ratio * self.consumed):
            message = f"The archive grows more than {limits.total_ratio} times when unpacked."
            raise ArchiveStop("ratio", message, self.consumed)
        self._check_member()

    def tell(self, size: int) -> None:
        """Count text that comes out of a document of `packed` bytes; raises at the limits."""
        self._told += size
        limits = self.limits
        if self._told > limits.total_bytes:
            message = f"More than {limits.total_bytes:,} characters come out of it."
            raise ArchiveStop("total_cap", message)
        if self._told > max(limits.text_ratio_from, limits.text_ratio * self.packed):
            message = f"It grows more than {limits.text_ratio:,} times when it is read."
            raise ArchiveStop("ratio", message)

    def _check_member(self) -> None:
        limits = self.limits
        produced, consumed = self.produced - self._member[0], self.consumed - self._member[1]
        if produced > limits.member_bytes:
            message = f"It unpacks to more than {limits.member_bytes:,} bytes."
            raise MemberStop("member_cap", message, self.consumed)
        if produced > max(limits.member_ratio_from, limits.member_ratio * consumed):
            message = f"It grows more than {limits.member_ratio} times when unpacked."
            raise MemberStop("ratio", message, self.consumed)
