"""The code of LocalStack's function versions in our store: held from preparation to clean-up of a version."""

import hashlib
from pathlib import Path
from threading import Lock
from typing import Any

from localstack_process_executor.code_store import CodeFolders, CodeStore


class VersionCode:
    """Fetches what a version needs and holds it; the version objects are LocalStack's."""

    def __init__(self, store: CodeStore) -> None:
        self._store = store
        self._prepared: dict[int, str] = {}
        self._lock = Lock()

    def prepare(self, version: Any) -> None:  # noqa: ANN401 -- LocalStack has no types
        """Unpack the code and layers of the version and hold them."""
        sources = [version.config.code, *(layer.code for layer in version.config.layers)]
        for source in sources:
            if source is not None:
                source.prepare_for_execution()
        key, _ = self.acquire(version)
        with self._lock:
            self._prepared[id(version)] = key

    def clean_up(self, version: Any) -> None:  # noqa: ANN401 -- LocalStack has no types
        """Let go of what `prepare` holds; a version whose preparation failed holds nothing."""
        with self._lock:
            key = self._prepared.pop(id(version), None)
        if key is not None:
            self._store.release(key)

    def acquire(self, version: Any) -> tuple[str, CodeFolders]:  # noqa: ANN401 -- LocalStack has no types
        """The version's folders for one environment, to be released by the key."""
        code = version.config.code
        place = Path(code.get_unzipped_code_location())
        layers = [layer for layer in version.config.layers if layer.code is not None]
        names = repr([str(place), *(layer.layer_version_arn for layer in layers)])
        key = hashlib.sha256(names.encode()).hexdigest()[:32]
        layer_places = [Path(layer.code.get_unzipped_code_location()) for layer in layers]
        return key, self._store.acquire(key, place, layer_places, live=bool(code.is_hot_reloading()))
