"""What a worker waits for that is not Blender: few round trips a frame."""

from __future__ import annotations

import re
from pathlib import Path

from fault_proxy import fault_proxy
from workers import Queue

FRAMES = 6
DELAY_SECONDS = 0.4
# 100 ms where a call takes 25.
MOST_ROUND_TRIPS = 4


def test_a_warm_frame_waits_for_four_round_trips_at_the_most(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    front = queue.farm.front
    job = queue.submit(scenes / "sound.blend", f"1-{FRAMES}")
    front.requests.clear()
    with fault_proxy(queue.farm.endpoint, queue.farm.authority) as proxy:
        proxy.delay_seconds = DELAY_SECONDS
        with queue.worker(tmp_path, AWS_ENDPOINT_URL=proxy.endpoint, LEASE_SECONDS="60"):
            records = queue.wait_for(job, FRAMES, 120)
    asked = [one for one in front.requests if one[1] == "PUT" and job in one[2]]
    trips, counts = [], []
    for frame, record in records.items():
        began = min(at for at, _, target in asked if f"/tasks/{frame}.json" in target)
        ended = max(
            at
            for at, _, target in asked
            if re.search(rf"/events/\d+\.{frame}\..*\.done", target)
            or f"/tasks/{frame}.json" in target
        )
        blender = record["times"]["render_seconds"] + record["times"]["load_seconds"]
        # The first call was on its way for one delay before it was seen here.
        trips.append((ended - began + DELAY_SECONDS - blender) / DELAY_SECONDS)
        counts.append(
            sum(re.search(rf"[/.]{frame}\.", target) is not None for _, _, target in asked)
        )
    # The first frame of a worker brings the pack, and starts Blender.
    warm = sorted(trips)[: FRAMES - 1]
    print(
        f"\nround trips of warm frames: {warm[0]:.1f} to {warm[-1]:.1f}; {counts[-1]} puts a frame"
    )
    assert warm[len(warm) // 2] <= MOST_ROUND_TRIPS
