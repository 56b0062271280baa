"""What supervisord is told of a part: a changed file is a changed program, and a value arrives as it is."""

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from stack.supervisor import digest_of, environment_line


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


@pytest.mark.parametrize("value", ["/home/jürgen/a b", "back\\slash", "it's", "a,b=c;d#e"])
def test_supervisord_reads_a_value_as_it_is(value):
    assert dict_of_key_value_pairs(environment_line({"A": value, "B": "1"})) == {"A": value, "B": "1"}
