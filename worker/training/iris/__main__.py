"""`python -m training.iris <model_dir>`: train once, say how good it is; later runs find it up to date."""

import argparse
import importlib
import sys
from pathlib import Path

from training.artifact import save, up_to_date
from training.iris.inputs import MODEL, inputs_digest


def main() -> int:
    """Run the command; the exit status is 0 when an intact artifact is in place."""
    parser = argparse.ArgumentParser(prog="python -m training.iris", description=__doc__)
    parser.add_argument("model_dir", type=Path, help="folder of all models; iris/1 is made in it")
    parser.add_argument("--force", action="store_true", help="train even when the artifact is up to date")
    arguments = parser.parse_args()
    if not arguments.force and up_to_date(arguments.model_dir, MODEL, inputs_digest()):
        sys.stdout.write(f"{MODEL.name} {MODEL.version} is up to date\n")
        return 0
    trained = importlib.import_module("training.iris.train").train()
    folder = save(arguments.model_dir, trained.metadata, trained.content)
    sys.stdout.write(
        f"{MODEL.name} {MODEL.version}: held-out accuracy {trained.metadata.accuracy:.3f}, in {folder}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
