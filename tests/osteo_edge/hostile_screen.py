"""`osteo-edge` whose own decoder does what a film says after its last `#` (see `hostile_decoder`): WORDS..."""

import sys

from osteo_edge import cli, radiograph
from tests.osteo_edge.hostile_decoder import decode_or_obey

if __name__ == "__main__":
    radiograph.decode = decode_or_obey
    sys.exit(cli.run(sys.argv[1:]))
