#!/bin/sh
# Bytecode for pods whose root file system is read-only, by the Python that will run it: compile.sh ROOT [CODE]
# Of CODE/opt where CODE is given, else of ROOT's own library. Bytecode that is never compared with its source starts fastest.
set -eu
root=$1 code=${2:-}
enter=$([ "$(id -u)" = 0 ] || echo "unshare --map-root-user")
compile() {
  PATH=$PATH:/usr/sbin $enter chroot "$root" /usr/bin/python3 -B -m compileall -q --invalidation-mode unchecked-hash "$@"
}

if [ -z "$code" ]; then
  compile "$(cd "$root" && echo /usr/lib/python3.*)"
  exit
fi
guest=$(mktemp -d "$root/code.XXXXXX")
trap 'rm -rf "$guest"' EXIT
trap 'exit 1' INT TERM HUP
cp -R "$code/opt" "$guest"
compile -s "/$(basename "$guest")" -p / "/$(basename "$guest")"
rm -rf "$code/opt"
mv "$guest/opt" "$code/opt"
