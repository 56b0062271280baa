"""pushgateway-cleaner: deletes the groups of ended environments, after their last values were scraped."""

import sys

from stack.context import LOOPBACK, Context
from stack.parts.part import Part
from stack.settings import ROOT

EVERY_S = 5
ENDED_S = 12
"""Two scrapes, and a slow one."""
SILENT_S = 60
"""Three times as long as a living environment is ever silent."""
SOURCES = ROOT / "functions" / "common" / "powertools_pushgateway"


def pushgateway_cleaner(context: Context) -> Part:
    """Describe how the cleaner runs; a Pushgateway that does not answer is a line in its log."""
    return Part(
        name="pushgateway-cleaner",
        command=(
            sys.executable,
            "-m",
            "powertools_pushgateway.cleaner",
            f"--url=http://{LOOPBACK}:{context.settings.pushgateway_port}",
            f"--every-s={EVERY_S}",
            f"--ended-s={ENDED_S}",
            f"--silent-s={SILENT_S}",
        ),
        probe=lambda: "deletes groups of ended environments",
        environment={"PYTHONPATH": str(SOURCES.parent)},
        watched=(SOURCES,),
    )
