"""What this process holds."""

import re
import resource


def memory_bytes() -> int:
    """What this process holds at this moment (proc(5))."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def peak_memory_bytes() -> int:
    """The most that this process has ever held (proc(5))."""
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024
