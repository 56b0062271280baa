"""Looking at a stack changes nothing of it: its parts read their files again when they are restarted."""

from dataclasses import replace

import pytest

from stack.context import Context
from stack.credentials import load_or_create
from stack.parts.localstack import localstack
from stack.parts.redis import redis
from stack.paths import paths_of
from stack.settings import Settings


@pytest.fixture
def context(tmp_path):
    settings = Settings(state_dir=tmp_path / "state", _env_file=None)
    paths = paths_of(settings)
    paths.make()
    return Context(settings, paths, load_or_create(paths.credentials))


@pytest.mark.parametrize(("describe", "name"), [(redis, "redis.conf"), (localstack, "settings.env")])
def test_one_who_only_looks_leaves_files_as_they_are(context, describe, name):
    describe(context)
    rendered = context.paths.rendered / name
    before = rendered.read_text()
    other = replace(context, settings=context.settings.model_copy(update={"redis_port": 4711}))

    describe(replace(other, only_looks=True))
    assert rendered.read_text() == before

    describe(other)
    assert rendered.read_text() != before
