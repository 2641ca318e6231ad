#!/bin/sh
# Builds a User-Mode Linux kernel with netem from Debian's kernel source: build.sh RESULT. The Makefile calls it (`make netem-kernel`).
# The source comes through a private apt directory, so the machine's own package sources stay as they are. SUITE and SOURCE
# choose another one; 6.1 and 6.12 (bookworm, trixie) crash on processors with a large vector state, 7.2 does not.
set -eu
SUITE=${SUITE:-trixie-backports}
SOURCE=${SOURCE:-linux-source-7.2}
# The mirror that this machine's own apt uses for Debian's archive.
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 2>/dev/null | sed -n 's/ Debian$//p' | grep -v security | head -n 1)}
[ -n "$MIRROR" ] || { echo "this machine's apt knows no mirror of Debian: set MIRROR to one" >&2; exit 1; }
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
NEEDED="gcc make flex bison bc xz-utils"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$1")"
result=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

missing=""
for package in $NEEDED; do
  command -v "${package%-utils}" >/dev/null || missing="$missing $package"
done
[ "$(uname -m)" = x86_64 ] || { echo "User-Mode Linux needs an x86_64 machine, this one is $(uname -m)"; exit 1; }
command -v apt-get >/dev/null || { echo "the kernel's source is a Debian package, and apt-get is missing"; exit 1; }
[ -r $KEYRING ] || missing="$missing debian-archive-keyring"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ]; then
  apt-get update -q
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing libc6-dev
elif [ -n "$missing" ]; then
  echo "install these packages first:$missing"; exit 1
fi

work=$(mktemp -d "$result.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work"
available=$(df --output=avail -BG . | tail -1 | tr -dc 0-9)
[ "$available" -ge 4 ] || { echo "needs 4 GB for the build in $work, has $available GB"; exit 1; }

mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=$KEYRING] $MIRROR $SUITE main" > sources.list
private() {
  command=$1; shift
  "$command" -q -o Dir::State="$work" -o Dir::Cache="$work/cache" -o Dir::Etc::SourceList="$work/sources.list" \
    -o Dir::Etc::SourceParts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
private apt-get update
private apt-cache show "$SOURCE" >/dev/null 2>&1 || SOURCE=$(private apt-cache depends linux-source | sed -n 's/.*Depends: //p')
echo "building $SOURCE of $SUITE: 6 to 7 minutes on two processors"
private apt-get download "$SOURCE"
dpkg-deb -x ./*.deb package
mkdir linux
tar -xf package/usr/src/linux-source-*.tar.xz -C linux --strip-components=1
cp "$here/defconfig" linux/.config
make -C linux -s ARCH=um olddefconfig
make -C linux -s ARCH=um -j"$(nproc)" linux > log 2>&1 || { tail -30 log; exit 1; }
strip -o "$result.new" linux/linux
mv "$result.new" "$result"
echo "built $result"
