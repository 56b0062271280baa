"""mtail: the door's metrics, counted from Nginx' access log."""

from stack.context import LOOPBACK, Context
from stack.parts.exporting import read_metric
from stack.parts.part import NotReadyError, Part
from stack.rendering import TEMPLATES

PROGRAM = TEMPLATES / "prometheus" / "door.mtail"


def mtail(context: Context) -> Part:
    """Describe how mtail runs; it is well when it has loaded its program."""
    port = context.settings.mtail_port
    log = context.paths.log_of("nginx")
    page = f"http://{LOOPBACK}:{port}/metrics"

    def probe() -> str:
        if not read_metric(page, "mtail_prog_loads_total", {"prog": PROGRAM.name}):
            raise NotReadyError(f"it has not loaded {PROGRAM.name}; mtail -compile_only says why")
        return f"http://localhost:{port}/metrics"

    return Part(
        name="mtail",
        command=(
            "mtail",
            f"-progs={PROGRAM}",
            f"-logs={log}",
            f"-address={LOOPBACK}",
            f"-port={port}",
            "-emit_prog_label=false",
            "-logtostderr",
        ),
        probe=probe,
        ports={"mtail_port": port},
        watched=(PROGRAM,),
        # A log that appears later would be found too, but read from the moment of finding only.
        prepare=log.touch,
    )
