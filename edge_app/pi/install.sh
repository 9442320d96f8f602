#!/bin/sh
# Install osteo-edge from this kit, on a Raspberry Pi with a 64-bit system. Needs root, but no network; asks nothing.
# May be run again at any time, and be interrupted at any time: what was in use before then still is.
#   install.sh [--units] [--force]
#     --units  also the watched folder as a service
#     --force  also if the kit is older than what is installed
# With ROOT=FOLDER below that folder.
set -eu

fail() {
    echo "osteo-edge: $1" >&2
    exit 1
}

kit=$(cd "$(dirname "$0")" && pwd)

machine=$(sed -n 's/^ "machine": "\([a-z0-9_]*\)",$/\1/p' "$kit/kit.json" 2>/dev/null) || machine=
[ -n "$machine" ] || fail "$kit: damaged: kit.json is missing or altered; copy the kit again"
[ "$(uname -m)" = "$machine" ] || fail "the kit is for $machine, and this is $(uname -m)"
[ "$(getconf LONG_BIT)" = 64 ] ||
    fail "this system is a 32-bit one, which the packages do not exist for: install the 64-bit Raspberry Pi OS"

# Nothing of the kit is run before it is known to be whole.
(cd "$kit" && sha256sum --check --strict --quiet SHA256SUMS >/dev/null 2>&1) ||
    fail "$kit: damaged: a file is missing or altered; copy the kit again"

python=
for archive in "$kit"/wheels/cp3*.tar.xz; do
    minor=${archive##*/cp3}
    minor=${minor%.tar.xz}
    wanted="${wanted:-}${wanted:+ or }3.$minor"
    for place in /usr/bin /usr/local/bin; do
        [ -n "$python" ] || [ ! -x "$place/python3.$minor" ] || python=$place/python3.$minor
    done
done
[ -n "$python" ] || fail "the kit is for Python ${wanted:-3}, which is not here: install Raspberry Pi OS 12 or 13"
"$python" -I -c 'import lzma, json, zipfile' 2>/dev/null ||
    fail "$python lacks parts of its own library: sudo apt-get install python3"

exec "$python" -I -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from osteo_edge.edge_app.pi.installer import main
sys.exit(main(sys.argv[1:]))
' "$kit"/wheels/osteo_edge-*.whl "$kit" "$@"
