"""The packaging step as a command, for the Makefiles that SAM calls."""

import argparse
import sys
from pathlib import Path

from stack.packaging import FUNCTIONS, LAMBDA_PLATFORM, build_function, zip_function
from stack.packaging.errors import PackagingError


def main() -> int:
    """Package one function and print where it is."""
    parser = argparse.ArgumentParser(prog="python -m stack.packaging", description=main.__doc__)
    parser.add_argument("name", choices=FUNCTIONS)
    parser.add_argument("--target", type=Path, help="folder, or zip, to make")
    parser.add_argument("--zip", action="store_true", help="make a zip instead of a folder")
    parser.add_argument("--lambda", action="store_true", dest="for_aws", help="for AWS, not this machine")
    wanted = parser.parse_args()
    make = zip_function if wanted.zip else build_function
    try:
        made = make(wanted.name, wanted.target, platform=LAMBDA_PLATFORM if wanted.for_aws else None)
    except PackagingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
