#!/bin/sh
# The services of an installed osteo-edge: their files, their user, their folders; safe to run again at any time.
#   enable.sh                     the watched folder, started now and at every boot
#   enable.sh --kiosk             also the app over the whole screen, instead of the desktop; it is shown USB sticks
#   enable.sh --kiosk --no-watch  the app alone; --no-watch by itself ends the watched folder
#   enable.sh --no-kiosk          the desktop, or the console, again
#   enable.sh --off               neither, and their files away; settings and patients' data stay
# With ROOT=FOLDER for a system below that folder, in which nothing is started.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
etc=$root/etc
remembered=$etc/osteo-edge/target-before-kiosk

fail() {
    echo "osteo-edge: $1" >&2
    exit 1
}

# Whether systemd runs here, and the system at hand is the running one.
live() {
    [ -z "$root" ] && [ -d /run/systemd/system ]
}

ctl() {
    if live; then systemctl --quiet "$@"; else systemctl --quiet --root="${root:-/}" "$@"; fi
}

# The Debian package brings these files itself, below /usr/lib.
packaged() {
    [ -e "$root/usr/lib/systemd/system/osteo-edge-watch.service" ]
}

# SOURCE TARGET: a copy that is there whole or not at all.
put() {
    mkdir -p "$(dirname "$etc/$2")"
    cp "$here/$1" "$etc/$2.new"
    chmod 644 "$etc/$2.new"
    mv "$etc/$2.new" "$etc/$2"
}

put_once() {
    [ -e "$etc/$2" ] || put "$1" "$2"
}

files() {
    put_once watch.conf osteo-edge/watch.conf
    put_once kiosk.conf osteo-edge/kiosk.conf
    packaged && return
    put osteo-edge-watch.service systemd/system/osteo-edge-watch.service
    put osteo-edge-kiosk.service systemd/system/osteo-edge-kiosk.service
    put osteo-edge-stick@.service systemd/system/osteo-edge-stick@.service
    put sysusers.conf sysusers.d/osteo-edge.conf
    put tmpfiles.conf tmpfiles.d/osteo-edge.conf
    put journald.conf systemd/journald.conf.d/50-osteo-edge.conf
    put backlight.rules udev/rules.d/60-osteo-edge.rules
    put stick.rules udev/rules.d/90-osteo-edge-stick.rules
}

# What a panel says of a touch, turned as kiosk.conf has it.
touch_rule() {
    rule=udev/rules.d/61-osteo-edge-touch.rules
    matrix=$(sed -n 's/^TOUCH_MATRIX=//p' "$etc/osteo-edge/kiosk.conf" | tail -n 1 | tr -d "\"'")
    if [ -z "$matrix" ]; then
        rm -f "$etc/$rule"
        return
    fi
    echo "$matrix" | grep -Eq '^ *(-?[0-9]*\.?[0-9]+ +){5}-?[0-9]*\.?[0-9]+ *$' ||
        fail "TOUCH_MATRIX=$matrix is not six numbers; see kiosk.conf"
    mkdir -p "$etc/udev/rules.d"
    printf 'ENV{ID_INPUT_TOUCHSCREEN}=="1", ENV{LIBINPUT_CALIBRATION_MATRIX}="%s"\n' "$matrix" >"$etc/$rule.new"
    mv "$etc/$rule.new" "$etc/$rule"
}

prepare() {
    systemd-sysusers ${root:+--root="$root"} osteo-edge.conf
    systemd-tmpfiles ${root:+--root="$root"} --create osteo-edge.conf
    if live; then
        systemctl daemon-reload
        udevadm control --reload 2>/dev/null || true
        udevadm trigger --subsystem-match=backlight --subsystem-match=input --action=add 2>/dev/null || true
    fi
}

begin() {
    ctl enable "$1"
    if live; then systemctl restart "$1"; fi
}

finish() {
    if live; then systemctl stop "$1" 2>/dev/null || true; fi
    ctl disable "$1" 2>/dev/null || true
}

# The rule for sticks asks whether the kiosk is enabled; those that are plugged in already are looked at again.
with_sticks() {
    if live; then udevadm trigger --subsystem-match=block --action=change 2>/dev/null || true; fi
}

without_sticks() {
    if live; then
        systemctl stop 'osteo-edge-stick@*.service' 2>/dev/null || true
        udevadm trigger --subsystem-match=block --action=change 2>/dev/null || true
    fi
}

# Its PAM session takes the app out of its service's memory limit, so that is said of all that this user runs in sessions.
limit_session() {
    uid=$(sed -n 's/^osteo-edge:[^:]*:\([0-9]*\):.*/\1/p' "$etc/passwd")
    if [ -n "$uid" ]; then
        put session.conf "systemd/system/user-$uid.slice.d/50-osteo-edge.conf"
        if live; then systemctl daemon-reload; fi
    fi
}

unlimit_session() {
    for folder in "$etc"/systemd/system/user-*.slice.d; do
        rm -f "$folder/50-osteo-edge.conf"
        rmdir "$folder" 2>/dev/null || true
    done
}

# A desktop and the kiosk cannot both have the screen: the boot ends before the desktop, which stays installed.
without_desktop() {
    [ -e "$remembered" ] && return
    before=$(ctl get-default)
    if [ "$before" = graphical.target ]; then
        echo "$before" >"$remembered"
        ctl set-default multi-user.target
        echo "osteo-edge: the desktop is not started any more; enable.sh --no-kiosk brings it back"
    fi
}

with_desktop() {
    if [ -e "$remembered" ]; then
        ctl set-default "$(cat "$remembered")"
        rm -f "$remembered"
    fi
}

usage="there are --kiosk, --no-watch, --no-kiosk and --off, of which only the first two go together"
change=on
kiosk=
watch=yes
for option in "$@"; do
    case $option in
        --kiosk) kiosk=yes ;;
        --no-watch) watch= ;;
        --no-kiosk | --off)
            [ $# = 1 ] || fail "$*: $usage"
            change=$option
            ;;
        *) fail "$option: no such option; $usage" ;;
    esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "must be root: sudo $0 $*"
for tool in systemctl systemd-sysusers systemd-tmpfiles; do
    command -v "$tool" >/dev/null || fail "services need systemd, and there is no $tool here"
done

case $change in
    on)
        files
        touch_rule
        prepare
        if [ -n "$watch" ]; then begin osteo-edge-watch.service; else finish osteo-edge-watch.service; fi
        if [ -n "$kiosk" ]; then
            without_desktop
            limit_session
            begin osteo-edge-kiosk.service
            with_sticks
        fi
        ;;
    --no-kiosk)
        finish osteo-edge-kiosk.service
        without_sticks
        unlimit_session
        with_desktop
        ;;
    --off)
        finish osteo-edge-kiosk.service
        finish osteo-edge-watch.service
        without_sticks
        unlimit_session
        with_desktop
        for file in systemd/system/osteo-edge-watch.service systemd/system/osteo-edge-kiosk.service \
            systemd/system/osteo-edge-stick@.service udev/rules.d/90-osteo-edge-stick.rules \
            sysusers.d/osteo-edge.conf tmpfiles.d/osteo-edge.conf systemd/journald.conf.d/50-osteo-edge.conf \
            udev/rules.d/60-osteo-edge.rules udev/rules.d/61-osteo-edge-touch.rules; do
            rm -f "$etc/$file"
        done
        if live; then systemctl daemon-reload; fi
        ;;
esac
