"""`screen-archive` where a film that ends with `#kill` kills the process that decodes it, or once if `#kill once`.

Processes that the program starts import this file too, and so decode likewise. The first argument is a folder where it
is noted what was killed.
"""

import os
import signal
import sys
from pathlib import Path

from osteo_edge.archive import worker
from osteo_edge.cli import main
from osteo_edge.radiograph import Radiograph, read_radiograph

NOTES = Path(os.environ["DEADLY_NOTES"])


def read_or_die(path: Path) -> Radiograph:
    data = path.read_bytes()
    note = NOTES / path.name
    if data.endswith(b"#kill") or (data.endswith(b"#kill once") and not note.exists()):
        with note.open("a") as file:
            file.write("killed\n")
        os.kill(os.getpid(), signal.SIGKILL)
    return read_radiograph(path)


vars(worker)["read_radiograph"] = read_or_die

if __name__ == "__main__":
    sys.argv[0] = "osteo-edge"
    main()
