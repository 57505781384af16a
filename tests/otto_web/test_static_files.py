"""Static files are collected when they changed, and only then."""

from __future__ import annotations

from otto_web.static_files import collect_static_files


def test_files_are_collected_again_only_after_a_change(tmp_path, settings):
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.css").write_text("a { color: red }")
    settings.STATICFILES_DIRS = [source]
    settings.STATIC_ROOT = tmp_path / "static"
    assert collect_static_files()
    assert (tmp_path / "static" / "one.css").exists()
    assert not collect_static_files()
    (source / "two.css").write_text("b { color: blue }")
    (source / "one.css").unlink()
    assert collect_static_files()
    assert (tmp_path / "static" / "two.css").exists()
    assert not (tmp_path / "static" / "one.css").exists()
