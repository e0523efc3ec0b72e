"""Run a command and write its seconds and peak memory as JSON: measure.py RESULT COMMAND...

It runs as a separate process and imports nothing but the standard library, because Linux counts the memory of a parent
towards the peak of its child.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    result, *command = sys.argv[1:]
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)  # of the child and of the processes it waited for, the largest
    Path(result).write_text(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_bytes": usage.ru_maxrss * 1024,
            }
        )
    )
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
