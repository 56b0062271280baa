"""What is loaded, and what is refused before anything of it is."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from inference_contract.job import ModelId
from inference_worker.errors import ModelUnavailableError
from inference_worker.model_catalog import ModelCatalog, backend_in, servable
from inference_worker.model_metadata import METADATA_FILE, FeatureStatistics, ModelMetadata, read_metadata
from inference_worker.testing import FakeModel

FAKE = ModelId("fake", "1")
CONTENT = b"weights"


class Backend:
    """Counts loads, and gets to see only bytes that were verified."""

    def __init__(self) -> None:
        self.loaded: list[bytes] = []

    def load(self, content: bytes, _: ModelMetadata) -> FakeModel:
        self.loaded.append(content)
        return FakeModel()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fake" / "1"
    folder.mkdir(parents=True)
    metadata = ModelMetadata(
        name="fake",
        version="1",
        backend="fake",
        file="model.bin",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        feature_names=("a",),
        classes=("x", "y"),
        feature_statistics={"a": FeatureStatistics(0.0, 1.0, 0.5, 0.1, (0.1, 0.2), (0.5, 0.5))},
    )
    (folder / "model.bin").write_bytes(CONTENT)
    (folder / METADATA_FILE).write_text(metadata.to_json())
    return folder


def catalog(folder: Path, backend: Backend) -> ModelCatalog:
    return ModelCatalog(folder.parents[1], backend_in({"fake": lambda: backend.load}))


def change(folder: Path, **fields: Any) -> None:
    path = folder / METADATA_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_model_is_loaded_once(folder: Path) -> None:
    backend = Backend()
    models = catalog(folder, backend)

    assert models.get(FAKE) is models.get(FAKE)
    assert backend.loaded == [CONTENT]


def test_metadata_survives_writing_and_reading(folder: Path) -> None:
    (described,) = servable(folder.parents[1])

    assert described == read_metadata(folder)
    assert described.feature_statistics["a"].deciles == (0.1, 0.2)
    assert described.feature_statistics["a"].training_shares == (0.5, 0.5)
    assert described.model.classes == ("x", "y")


def test_versions_are_described_as_people_count(folder: Path) -> None:
    for version in ("10", "2", "1.10", "1.9", "9"):
        copy = folder.with_name(version)
        shutil.copytree(folder, copy)
        change(copy, version=version)

    versions = [described.version for described in servable(folder.parents[1])]

    assert versions == ["1", "1.9", "1.10", "2", "9", "10"]


def test_tampered_artifact_is_refused_before_its_backend_sees_it(folder: Path) -> None:
    (folder / "model.bin").write_bytes(CONTENT + b"!")
    backend = Backend()

    with pytest.raises(ModelUnavailableError, match="not the trained one"):
        catalog(folder, backend).get(FAKE)
    assert backend.loaded == []
    assert servable(folder.parents[1]) == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"backend": "pickle"}, "no model backend pickle"),
        ({"name": "other"}, "describes another model"),
        ({"unknown": 1}, "is broken"),
        ({"classes": 7}, "is broken"),
        ({"feature_statistics": [1]}, "is broken"),
        ({"file": 7}, "has no artifact"),
        ({"file": "a\0b"}, "has no artifact"),
        ({"file": "gone.bin"}, "has no artifact"),
        ({"file": "../1/model.bin"}, None),
    ],
)
def test_metadata_that_is_wrong_is_refused(folder: Path, fields: dict[str, Any], reason: str | None) -> None:
    change(folder, **fields)
    models = catalog(folder, Backend())

    if reason is None:
        assert models.get(FAKE) is not None
    else:
        with pytest.raises(ModelUnavailableError, match=reason):
            models.get(FAKE)


@pytest.mark.parametrize("name", ["..", ".", "", "../fake", "a/b", "a\0b"])
def test_name_that_would_leave_the_folder_is_refused(folder: Path, name: str) -> None:
    for model in (ModelId(name, "1"), ModelId("fake", name)):
        with pytest.raises(ModelUnavailableError, match="no name"):
            catalog(folder, Backend()).get(model)


def test_model_that_was_trained_after_the_start_is_found(folder: Path) -> None:
    models = catalog(folder, Backend())
    hidden = folder.rename(folder.with_name("hidden"))
    with pytest.raises(ModelUnavailableError, match="fake 1 is not served here"):
        models.get(FAKE)

    hidden.rename(folder)

    assert models.get(FAKE) is not None
