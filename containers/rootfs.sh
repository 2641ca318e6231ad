#!/bin/sh
# The root file system of an image from the packages that this machine's own apt knows: rootfs.sh FOLDER PACKAGE...
# Packages are unpacked, not installed: no shell, no package manager, no root needed, and nothing of this machine is read or changed but its
# package sources. Licences stay (usr/share/doc/*/copyright), and what scanners read to know the packages (var/lib/dpkg/status.d).
set -eu
NEEDED_TO_INSTALL="debconf dpkg tar"
UNUSED="usr/share/locale usr/share/man usr/share/info usr/share/bash-completion usr/share/lintian usr/lib/*/gconv etc/init.d"
here=$(cd "$(dirname "$0")" && pwd)
root=$1
shift
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "the packages of an image come by apt-get: use a Debian or Ubuntu machine, or podman or docker" >&2; exit 1; }

rm -rf "$root"
work=$(mktemp -d "$root.packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$root"
: > "$work/status"
private() {
  apt-get -qq -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o Dir::Log="$work" \
    -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}
private update
private --yes --download-only install "$@"

# The folders that are links in every merged /usr; a package may still bring files below them.
for folder in bin sbin lib lib64; do
  mkdir -p "$root/usr/$folder"
  ln -s "usr/$folder" "$root/$folder"
done
mkdir -p "$root/var/lib/dpkg/status.d"
for package in "$work"/cache/archives/*.deb; do
  name=$(dpkg-deb -f "$package" Package)
  case " $NEEDED_TO_INSTALL " in *" $name "*) continue ;; esac
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
  dpkg-deb -f "$package" > "$root/var/lib/dpkg/status.d/$name"
done
mkdir -p "$root/tmp" "$root/proc" "$root/sys" "$root/dev"
chmod 1777 "$root/tmp"
for path in $UNUSED; do rm -rf "${root:?}"/$path; done
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root" -type d -empty ! -path "$root/tmp" ! -path "$root/proc" ! -path "$root/sys" ! -path "$root/dev" -delete
printf 'root:x:0:0:root:/:\nsquall:x:65532:65532:squall:/tmp:\n' > "$root/etc/passwd"
printf 'root:x:0:\nsquall:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
"$here/compile.sh" "$root"
