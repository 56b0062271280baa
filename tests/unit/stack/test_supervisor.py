"""A part whose files change is a changed program."""

from stack.supervisor import digest_of


def test_changed_content_changes_the_digest(tmp_path):
    source = tmp_path / "task.py"
    source.write_text("one")
    before = digest_of([tmp_path])

    source.write_text("two")

    assert digest_of([tmp_path]) != before


def test_bytecode_does_not_count(tmp_path):
    (tmp_path / "task.py").write_text("one")
    before = digest_of([tmp_path])

    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "task.pyc").write_text("compiled")

    assert digest_of([tmp_path]) == before


def test_new_file_changes_the_digest(tmp_path):
    before = digest_of([tmp_path])

    (tmp_path / "task.py").write_text("")

    assert digest_of([tmp_path]) != before
