#!/usr/bin/env bash
# From an empty Debian 12 to a running server, timed:
#
#     tools/fresh-machine.sh [DIRECTORY]      (root; needs debootstrap, network, 12 GB)
#
# Makes a minimal Debian in DIRECTORY (a new temporary one by default), clones this repository into
# it, runs `./dev up` there twice and `./dev down`, asks /readyz and sends one event. DIRECTORY is
# removed at the end; KEEP=1 keeps it for a look. MIRROR is a Debian mirror; LISTEN the address,
# since the new machine shares this one's network.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

readonly MIRROR=${MIRROR:-}  # Empty: debootstrap's own.
readonly LISTEN=${LISTEN:-127.0.0.1:18080}
readonly ROOT=${1:-$(mktemp -d)}

[ "$(id -u)" = 0 ] || { echo "fresh-machine: must run as root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "fresh-machine: debootstrap is missing" >&2; exit 1; }
[ -z "$(ls -A "$ROOT" 2>/dev/null)" ] || { echo "fresh-machine: $ROOT is not empty" >&2; exit 1; }

inside() {
    chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/new LANG=C.UTF-8 \
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt RIPEN_LISTEN="$LISTEN" \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        bash -c "mkdir -p /home/new && cd /srv/ripen && $1"
}

# Removing the tree while a bind mount is left in it would remove this machine's own files.
clean_up() {
    local mounted
    if [ -x "$ROOT/srv/ripen/dev" ]; then inside './dev down' >/dev/null 2>&1 || true; fi
    for mounted in dev/pts dev sys proc; do
        if mountpoint -q "$ROOT/$mounted"; then umount "$ROOT/$mounted"; fi
    done
    if grep -q " $ROOT/" /proc/self/mounts; then
        echo "fresh-machine: something is still mounted under $ROOT; it is left as it is" >&2
    elif [ -z "${KEEP:-}" ]; then
        rm -rf --one-file-system "$ROOT"
    fi
}
trap clean_up EXIT

# timed NAME COMMAND...: one line with the seconds when it is done.
timed() {
    local name=$1 began=$SECONDS
    shift
    "$@"
    TIMES+=("$(printf '%-34s %5d s' "$name" $((SECONDS - began)))")
}
TIMES=()

timed "debootstrap (not Ripen's)" \
    debootstrap --variant=minbase bookworm "$ROOT" ${MIRROR:+"$MIRROR"}
mirror=$(awk '$1 == "deb" { print $2; exit }' "$ROOT/etc/apt/sources.list")
cat >"$ROOT/etc/apt/sources.list" <<SOURCES
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror}-security bookworm-security main
SOURCES
cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
# Where a proxy with its own authority stands before the network, the new machine must know it too.
mkdir -p "$ROOT/usr/local/share"
cp -r /usr/local/share/ca-certificates "$ROOT/usr/local/share/"
mount -t proc proc "$ROOT/proc"
mount -t sysfs sysfs "$ROOT/sys"
mount --bind /dev "$ROOT/dev"
mount --bind /dev/pts "$ROOT/dev/pts"
git clone -q --no-hardlinks . "$ROOT/srv/ripen"

timed "./dev up, the first" inside './dev up'
timed "./dev up, the second" inside './dev up'
curl -fsS "http://$LISTEN/readyz" >/dev/null
key=$(sed -n 's/.*"write_key" *: *"\([^"]*\)".*/\1/p' "$ROOT/srv/ripen/.ripen/keys.json")
curl -fsS -u "$key:" "http://$LISTEN/v1/track" -H 'content-type: application/json' \
    -d '{"userId": "ada", "event": "Order Completed", "properties": {"revenue": 42}}' >/dev/null
echo "ready, and an event was taken"
timed "./dev down" inside './dev down'
printf '%s\n' "${TIMES[@]}"
printf 'disk: %s clone with build and packages, %s in all\n' \
    "$(du -sh "$ROOT/srv/ripen" | cut -f1)" "$(du -shx "$ROOT" | cut -f1)"
