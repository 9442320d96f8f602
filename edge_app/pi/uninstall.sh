#!/bin/sh
# Remove osteo-edge and its services. Patients' data and settings stay, unless asked otherwise:
#   uninstall.sh [--purge-data]
# With ROOT=FOLDER below that folder.
set -eu

fail() {
    echo "osteo-edge: $1" >&2
    exit 1
}

purge=
case ${1:-} in
    '') ;;
    --purge-data) purge=yes ;;
    *) fail "$1: no such option; there is --purge-data" ;;
esac
[ $# -le 1 ] || fail "one option at most: --purge-data"

root=${ROOT:-}
home=$root/opt/osteo-edge
command=$root/usr/local/bin/osteo-edge
[ ! -e "$home" ] || [ -w "$home" ] || fail "$home: no permission to remove it; run it as root: sudo sh $0 $*"

if [ -f "$home/current/units/enable.sh" ] && [ -e "$root/etc/systemd/system/osteo-edge-watch.service" ]; then
    ROOT=$root sh "$home/current/units/enable.sh" --off || fail "the services cannot be removed"
fi
if [ "$(readlink "$command" 2>/dev/null)" = /opt/osteo-edge/current/bin/osteo-edge ]; then
    rm -f "$command"
fi
# The link first: what is left of an interrupted removal is not in use any more.
rm -f "$home/current"
rm -rf "$home"
if [ -n "$purge" ]; then
    rm -rf "$root/var/lib/osteo-edge" "$root/var/cache/osteo-edge" "$root/etc/osteo-edge"
    echo "osteo-edge: removed, with the data in $root/var/lib/osteo-edge"
else
    echo "osteo-edge: removed; the data in $root/var/lib/osteo-edge stay (--purge-data removes them too)"
fi
