"""Writes an artifact and its metadata so that a reader never sees half of one."""

import os
import tempfile
from pathlib import Path

from inference_contract.job import ModelId
from inference_worker.errors import ModelUnavailableError
from inference_worker.model_metadata import (
    METADATA_FILE,
    ModelMetadata,
    model_folder,
    read_metadata,
    verified_bytes,
)

READABLE_BY_ALL = 0o644


def up_to_date(model_dir: Path, model: ModelId, inputs_sha256: str) -> bool:
    """Whether an intact artifact of the same inputs is there already."""
    folder = model_folder(model_dir, model)
    try:
        metadata = read_metadata(folder)
        verified_bytes(folder, metadata)
    except ModelUnavailableError:
        return False
    return metadata.inputs_sha256 == inputs_sha256


def save(model_dir: Path, metadata: ModelMetadata, content: bytes) -> Path:
    """Write the model's bytes, then the metadata that names their digest; returns the folder."""
    folder = model_folder(model_dir, metadata.model.id)
    folder.mkdir(parents=True, exist_ok=True)
    _write_atomically(folder / metadata.file, content)
    _write_atomically(folder / METADATA_FILE, metadata.to_json().encode())
    return folder


def _write_atomically(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete_on_close=False) as temporary:
        temporary.write(content)
        temporary.flush()
        os.fsync(temporary.fileno())
        Path(temporary.name).chmod(READABLE_BY_ALL)
        Path(temporary.name).replace(path)
        # The context manager's own removal finds the name gone, which it allows for.
