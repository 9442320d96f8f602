#!/bin/sh
# The app over the whole screen, on what this machine draws with. osteo-edge-kiosk.service starts it with the settings
# of /etc/osteo-edge/kiosk.conf; under X11 and Wayland it starts a server, and itself again in that.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$here/../bin/osteo-edge
lib=$here/../lib
server=${DISPLAY_SERVER:-auto}
minutes=${BLANK_MINUTES:-0}

fail() {
    echo "osteo-edge: $1" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "DISPLAY_SERVER=$server needs $1: apt-get install $2, or choose another in kiosk.conf"
}

start() {
    export SDL_VIDEODRIVER="$1"
    # shellcheck disable=SC2086  # OPTIONS are words, and an empty BUNDLE is none
    exec "$program" app ${BUNDLE:+"$BUNDLE"} --data "${DATA:-/var/lib/osteo-edge/app}" --fullscreen ${OPTIONS-}
}

dim_panel() {
    blanking=$lib/osteo_edge/edge_app/pi/blanking.py
    [ "$minutes" = 0 ] || python3 -P "$blanking" "$minutes" &
}

case $minutes in
    '' | *[!0-9]*) fail "BLANK_MINUTES=$minutes is no number of minutes; 0 is never" ;;
esac

if [ "$server" = auto ]; then
    if [ -n "${WAYLAND_DISPLAY:-}" ]; then
        server=wayland
    elif [ -n "${DISPLAY:-}" ]; then
        server=x11
    else
        server=kmsdrm
    fi
fi

# The desktop's OpenGL is not there on a Pi; SDL knows what is.
export KIVY_GL_BACKEND="${KIVY_GL_BACKEND:-sdl2}"

case $server in
    kmsdrm)
        set -- "${DRI:-/dev/dri}"/card*
        [ -e "$1" ] || fail "no screen to draw on: no ${DRI:-/dev/dri}/card*; is dtoverlay=vc4-kms-v3d in config.txt?"
        dim_panel
        start kmsdrm
        ;;
    wayland)
        if [ -z "${WAYLAND_DISPLAY:-}" ]; then
            need cage cage
            exec cage -s -- /bin/sh "$0"
        fi
        dim_panel
        start wayland
        ;;
    x11)
        if [ -z "${DISPLAY:-}" ]; then
            need xinit "xinit xserver-xorg"
            exec xinit /bin/sh "$0" -- :0 "vt${XDG_VTNR:-1}" -nolisten tcp -keeptty
        fi
        if command -v xset >/dev/null; then
            if [ "$minutes" = 0 ]; then xset s off -dpms; else xset s $((minutes * 60)) +dpms dpms 0 0 $((minutes * 60)); fi
        fi
        start x11
        ;;
    *)
        fail "DISPLAY_SERVER=$server is none of auto, kmsdrm, wayland, x11"
        ;;
esac
