"""node-exporter: how full the disks are, and nothing else of the machine."""

from stack.context import LOOPBACK, Context
from stack.parts.exporting import read_metric
from stack.parts.part import Part

NOT_DISKS = (
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|mqueue|nsfs|proc"
    "|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
)
"""As the exporter's own list, without overlay: in a container that is where the stack's folder lies."""
NOT_OURS = "^/(dev|proc|run|sys)($|/)"
"""Its own list leaves out /mnt and /media as well, where a checkout may lie."""


def node_exporter(context: Context) -> Part:
    """Describe how the exporter runs; it is well when it sees at least one file system."""
    port = context.settings.node_exporter_port
    address = f"{LOOPBACK}:{port}"

    def probe() -> str:
        read_metric(f"http://{address}/metrics", "node_filesystem_avail_bytes")
        return f"http://localhost:{port}/metrics"

    return Part(
        name="node-exporter",
        command=(
            "prometheus-node-exporter",
            f"--web.listen-address={address}",
            "--web.disable-exporter-metrics",
            "--collector.disable-defaults",
            "--collector.filesystem",
            f"--collector.filesystem.fs-types-exclude={NOT_DISKS}",
            f"--collector.filesystem.mount-points-exclude={NOT_OURS}",
        ),
        probe=probe,
        ports={"node_exporter_port": port},
    )
