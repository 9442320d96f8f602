"""`osteo-edge` with a decoder that does what a file says: `hostile_watch.py MARK WORDS...` (see `hostile_decoder`)."""

import sys
from functools import partial
from pathlib import Path

from osteo_edge import cli, isolated_reading
from osteo_edge.reading_protocol import Limits

HOSTILE = Path(__file__).resolve().parents[2] / "osteo_edge" / "hostile_decoder.py"
LIMITS = Limits(cpu_s=1, memory_bytes=2**27)

if __name__ == "__main__":
    command = [sys.executable, str(HOSTILE), sys.argv[1]]
    isolated_reading.IsolatedReader = partial(  # type: ignore[misc,assignment]
        isolated_reading.IsolatedReader, command, limits=LIMITS
    )
    sys.exit(cli.run(sys.argv[2:]))
