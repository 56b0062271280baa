"""Upper bounds of histograms, by base unit; a metric can be given its own."""

from typing import Final

DEFAULT_BUCKETS: Final[dict[str, tuple[float, ...]]] = {
    # From a warm call (a few milliseconds) over a cold start (some hundred) to what API Gateway waits for
    # (29 s), in steps of 2 to 3: a quantile's error stays below its half, for 13 series.
    "seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    # From a small JSON document to beyond what Lambda takes as a payload (6 MB), in steps of 4.
    "bytes": (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0),
}
