"""Trains the Iris classifier; stages: read the data set, split, fit, measure, describe.

Repetition on one machine gives the same parameters (`parameters_sha256`); the file's bytes differ, because
skops writes the identity of objects into it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import skops.io
from inference_worker.feature_bins import shares
from inference_worker.model_metadata import FeatureStatistics, ModelMetadata
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from training.iris import inputs

DECILES_PERCENT: Final = tuple(range(10, 100, 10))


@dataclass(frozen=True, slots=True)
class Trained:
    """The artifact's bytes and the metadata that describes them."""

    content: bytes
    metadata: ModelMetadata


def train() -> Trained:
    """Fit on the training part and measure accuracy on the held-out part."""
    data = load_iris()
    labels = data.target_names[data.target]
    fit_rows, held_rows, fit_labels, held_labels = train_test_split(
        data.data, labels, test_size=inputs.HELD_OUT_SHARE, random_state=inputs.SEED, stratify=labels
    )
    classifier = LogisticRegression(
        C=inputs.REGULARISATION, max_iter=inputs.ITERATIONS_MAX, random_state=inputs.SEED
    )
    pipeline = make_pipeline(StandardScaler(), classifier)
    pipeline.fit(fit_rows, fit_labels)
    content = skops.io.dumps(pipeline)
    return Trained(content, _describe(pipeline, content, pipeline.score(held_rows, held_labels), fit_rows))


def _describe(pipeline: Pipeline, content: bytes, accuracy: float, rows: Any) -> ModelMetadata:  # noqa: ANN401 (scikit-learn has no types)
    return ModelMetadata(
        name=inputs.MODEL.name,
        version=inputs.MODEL.version,
        backend=inputs.BACKEND,
        file=inputs.FILE,
        sha256=hashlib.sha256(content).hexdigest(),
        feature_names=inputs.FEATURE_NAMES,
        classes=tuple(str(label) for label in pipeline.classes_),
        accuracy=float(accuracy),
        inputs_sha256=inputs.inputs_digest(),
        parameters_sha256=_parameters_digest(pipeline),
        library_versions=inputs.library_versions(),
        feature_statistics={name: _statistics(rows[:, at]) for at, name in enumerate(inputs.FEATURE_NAMES)},
    )


def _parameters_digest(pipeline: Pipeline) -> str:
    scaler, classifier = (step for _, step in pipeline.steps)
    parameters = (scaler.mean_, scaler.scale_, classifier.coef_, classifier.intercept_)
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in parameters)).hexdigest()


def _statistics(column: Any) -> FeatureStatistics:  # noqa: ANN401 (scikit-learn has no types)
    deciles = tuple(float(value) for value in np.percentile(column, DECILES_PERCENT))
    return FeatureStatistics(
        minimum=float(column.min()),
        maximum=float(column.max()),
        mean=float(column.mean()),
        standard_deviation=float(column.std()),
        deciles=deciles,
        training_shares=shares(column.tolist(), deciles),
    )
