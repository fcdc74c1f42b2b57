"""Ten thousand frames onto the queue, through a proxy that adds 30 ms to every round trip."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from fault_proxy import fault_proxy  # noqa: E402
from local_farm import local_farm  # noqa: E402

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
FRAMES = 10_000
ROUND_TRIP_SECONDS = 0.03
EXAMPLES = ROOT / "target" / "release" / "examples"
FUNCTIONS = ROOT / "build" / "functions"


def main() -> None:
    """Starts the farm without workers, measures, prints."""
    print("| frames enqueued, 30 ms a round trip | seconds | without the proxy |")
    print("|---|---|---|")
    with local_farm(Path(sys.executable), FUNCTIONS) as farm:
        functions = farm.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        outputs = farm.outputs()
        with fault_proxy(farm.endpoint, farm.authority) as proxy:
            proxy.delay_seconds = ROUND_TRIP_SECONDS

            def seconds(endpoint: str) -> float:
                done = subprocess.run(
                    [
                        EXAMPLES / "enqueue_frames",
                        endpoint,
                        outputs["BucketName"],
                        outputs["QueueUrl"],
                        str(FRAMES),
                    ],
                    env=os.environ | farm.environment() | {"AWS_ENDPOINT_URL": endpoint},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                return float(done.stdout)

            turns = [(seconds(proxy.endpoint), seconds(farm.endpoint)) for _ in range(RUNS)]
    far = statistics.median(turn[0] for turn in turns)
    near = statistics.median(turn[1] for turn in turns)
    print(f"| {FRAMES} | {far:.2f} s | {near:.2f} s |")


if __name__ == "__main__":
    main()
