"""What a fresh process uses: CPU seconds and peak memory."""

import json
import subprocess
import sys

# What a process used is read in a parent of its own, since a maximum over children never falls again.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu, mib = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(json.dumps({"found": json.loads(done.stdout), "cpu": cpu, "mib": mib}))
"""


def measured(code, *arguments):
    """Return what a Python process printed as JSON, its CPU seconds and its peak memory."""
    return measured_command(sys.executable, "-W", "ignore", "-c", code, *arguments)


def measured_command(*command):
    """Return the same of any command."""
    command = [sys.executable, "-c", MEASURED, *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)
