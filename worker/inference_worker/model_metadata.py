"""The metadata file beside each model: written by training, checked before anything is loaded."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from inference_contract.job import Model, ModelId

from inference_worker.errors import ModelUnavailableError

METADATA_FILE: Final = "metadata.json"
REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """One feature over the training rows, in the feature's own unit: what drift is measured against."""

    minimum: float
    maximum: float
    mean: float
    standard_deviation: float
    deciles: tuple[float, ...]
    training_shares: tuple[float, ...] = ()
    """Share of the training rows in each bin (`feature_bins`); empty in metadata of before there were any."""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """All that is known of an artifact without loading it; `sha256` is the digest of `file`'s bytes."""

    name: str
    version: str
    backend: str
    file: str
    sha256: str
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    accuracy: float | None = None
    inputs_sha256: str = ""
    parameters_sha256: str = ""
    library_versions: dict[str, str] = field(default_factory=dict)
    feature_statistics: dict[str, FeatureStatistics] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model as a submit is checked against it."""
        return Model(ModelId(self.name, self.version), self.feature_names, self.classes)

    def to_json(self) -> str:
        """Write the file's text; numbers are finite."""
        return json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"


def model_folder(model_dir: Path, model: ModelId) -> Path:
    """Name the folder of one version; a name that would leave `model_dir` raises `ModelUnavailableError`."""
    for part in (model.name, model.version):
        if not part or part.startswith(".") or set(part) & set("/\\\0"):
            raise ModelUnavailableError(f"{part[:REASON_CHARS]!r} is no name of a model or version")
    return model_dir / model.name / model.version


def read_metadata(folder: Path) -> ModelMetadata:
    """Read `metadata.json`; raises `ModelUnavailableError` when it is missing, broken or another model's."""
    model = f"{folder.parent.name} {folder.name}"
    try:
        metadata = _from_json(json.loads((folder / METADATA_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ModelUnavailableError(f"model {model} is not served here") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelUnavailableError(f"{METADATA_FILE} of {model} is broken") from error
    if (metadata.name, metadata.version) != (folder.parent.name, folder.name):
        raise ModelUnavailableError(f"{METADATA_FILE} of {model} describes another model")
    return metadata


def verified_bytes(folder: Path, metadata: ModelMetadata) -> bytes:
    """Read the artifact once and check its digest; any other bytes raise `ModelUnavailableError`."""
    try:
        content = (folder / Path(metadata.file).name).read_bytes()
    except (OSError, ValueError, TypeError) as error:  # there is none of this name, or it is none
        raise ModelUnavailableError(f"model {metadata.name} {metadata.version} has no artifact") from error
    if hashlib.sha256(content).hexdigest() != metadata.sha256:
        raise ModelUnavailableError(
            f"the artifact of {metadata.name} {metadata.version} is not the trained one"
        )
    return content


def _from_json(fields: dict[str, Any]) -> ModelMetadata:
    statistics = {
        name: FeatureStatistics(
            **{
                **values,
                "deciles": tuple(values["deciles"]),
                "training_shares": tuple(values.get("training_shares", ())),
            }
        )
        for name, values in fields.get("feature_statistics", {}).items()
    }
    sequences = {name: tuple(fields[name]) for name in ("feature_names", "classes")}
    return ModelMetadata(**{**fields, **sequences, "feature_statistics": statistics})
