"""The commit of the code, read from a checkout, from a second worktree, or from none."""

from __future__ import annotations

from otto_web.lib.revision import code_commit

COMMIT, OTHER = "a1" * 20, "b2" * 20


def test_the_commit_is_that_of_the_branch_of_packed_refs_or_of_the_head_itself(tmp_path):
    git = tmp_path / "one" / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{OTHER} refs/heads/main\n")
    code_commit.cache_clear()
    assert code_commit(tmp_path / "one") == OTHER
    (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    code_commit.cache_clear()
    assert code_commit(tmp_path / "one") == COMMIT
    second = git / "worktrees" / "two"
    second.mkdir(parents=True)
    (second / "HEAD").write_text("ref: refs/heads/main\n")
    (second / "commondir").write_text("../..\n")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / ".git").write_text(f"gitdir: {second}\n")
    assert code_commit(tmp_path / "two") == COMMIT
    (git / "HEAD").write_text(f"{OTHER}\n")
    code_commit.cache_clear()
    assert code_commit(tmp_path / "one") == OTHER


def test_what_is_no_checkout_has_no_commit(tmp_path):
    assert code_commit(tmp_path) == ""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("nonsense")
    code_commit.cache_clear()
    assert code_commit(tmp_path) == ""
