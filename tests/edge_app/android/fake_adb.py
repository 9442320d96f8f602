"""Stands in for adb: answers from the files of a folder, and writes down what it was asked.

The folder of OSTEO_EDGE_FAKE_ADB has `logcat`, the system's log after the start; `hangs`, if logcat goes on after it;
`says-COMMAND` with what a command prints, `fails-COMMAND` with what it says when it fails.
"""

import os
import sys
import time
from pathlib import Path

folder = Path(os.environ["OSTEO_EDGE_FAKE_ADB"])
words = sys.argv[1:]
name = words[1] if words[0] in ("shell", "exec-out") else words[0]
with (folder / "asked").open("a", encoding="utf-8") as asked:
    asked.write(" ".join(words) + "\n")
if (folder / f"fails-{name}").exists():
    sys.stderr.write((folder / f"fails-{name}").read_text("utf-8"))
    sys.exit(1)
if (folder / f"says-{name}").exists():
    sys.stdout.buffer.write((folder / f"says-{name}").read_bytes())
if words[0] == "logcat" and words[1] != "-c":
    while words[1] != "-d" and "am start" not in (folder / "asked").read_text("utf-8"):
        time.sleep(0.01)
    sys.stdout.buffer.write((folder / "logcat").read_bytes())
    sys.stdout.flush()
    if words[1] != "-d" and (folder / "hangs").exists():
        time.sleep(600)
