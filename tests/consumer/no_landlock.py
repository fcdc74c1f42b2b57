"""Runs a command as on a kernel without Landlock, whose calls are said not to be there.

`python no_landlock.py COMMAND…` (seccomp(2): a filter of six instructions).
"""

import ctypes
import os
import struct
import sys

LANDLOCK_CREATE_RULESET = 444
ENOSYS = 38
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

INSTRUCTIONS = [
    (0x20, 0, 0, 0),  # the number of the call
    (0x15, 0, 1, LANDLOCK_CREATE_RULESET),
    (0x06, 0, 0, 0x00050000 | ENOSYS),  # an error
    (0x06, 0, 0, 0x7FFF0000),  # allowed
]


def main() -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in INSTRUCTIONS)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(INSTRUCTIONS), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER)):
        rest = [program] if arguments[0] == PR_SET_SECCOMP else []
        if libc.prctl(*arguments, *rest) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.argv[1], sys.argv[1:])


main()
