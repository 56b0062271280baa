"""The scikit-learn backend with real, tiny artifacts: what is built and what is refused."""

import dataclasses
import hashlib

import pytest
from inference_worker.backends import sklearn_skops
from inference_worker.errors import ModelUnavailableError
from inference_worker.model_metadata import ModelMetadata
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from skops.io import dumps

CLASSES = ("a", "b")


def metadata(content: bytes) -> ModelMetadata:
    digest = hashlib.sha256(content).hexdigest()
    return ModelMetadata("tiny", "1", "sklearn_skops", "model.skops", digest, ("x",), CLASSES)


@pytest.fixture(scope="module")
def content() -> bytes:
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"])
    written: bytes = dumps(model)
    return written


def test_rows_are_answered_in_order_with_probabilities(content: bytes) -> None:
    model = sklearn_skops.load(content, metadata(content))

    answers = model.predict(((0.0,), (3.0,)))

    assert [answer.label for answer in answers] == ["a", "b"]
    assert all(sum(answer.probabilities.values()) == pytest.approx(1.0) for answer in answers)
    assert list(answers[0].probabilities) == list(CLASSES)


def test_row_of_another_length_is_an_error_of_that_call(content: bytes) -> None:
    model = sklearn_skops.load(content, metadata(content))

    with pytest.raises(ValueError, match="features"):
        model.predict(((0.0, 1.0),))


def test_type_that_is_not_trusted_is_refused() -> None:
    class Strange(DummyClassifier):  # type: ignore[misc] # scikit-learn has no types
        """A class of our own inside an artifact."""

    Strange.__qualname__ = Strange.__name__
    globals()["Strange"] = Strange
    strange = dumps(Strange().fit([[0.0]], ["a"]))

    with pytest.raises(ModelUnavailableError, match="not trusted"):
        sklearn_skops.load(strange, metadata(strange))


def test_pickle_is_refused() -> None:
    pickled = b"\x80\x04cos\nsystem\n."

    with pytest.raises(ModelUnavailableError, match="no readable skops file"):
        sklearn_skops.load(pickled, metadata(pickled))


def test_other_classes_than_described_are_refused(content: bytes) -> None:
    with pytest.raises(ModelUnavailableError, match="other classes"):
        sklearn_skops.load(content, dataclasses.replace(metadata(content), classes=("a", "c")))
