#!/bin/sh
# An image as an archive: build.sh injector|runner VERSION RESULT. By podman, docker or buildah where one of them can build here, else from
# the packages of this machine's apt, without registry or container tool. BUILDER=podman|docker|buildah|archive chooses; BASE_IMAGE is theirs.
set -eu
name=$1 version=$2 result=$3
reference=squall-$name:$version
here=$(cd "$(dirname "$0")" && pwd)
recipe=$here/$name/Containerfile
mkdir -p "$(dirname "$result")"
result=$(cd "$(dirname "$result")" && pwd)/$(basename "$result")
cd "$here/.."
touch "$result.started"  # what is edited meanwhile is newer than the result

# Its full name: podman and buildah would else put it below localhost, where no kubelet looks for it.
by_tool() {
  full=docker.io/library/$reference
  set -- -f "$recipe" --build-arg VERSION="$version" ${BASE_IMAGE:+--build-arg BASE_IMAGE="$BASE_IMAGE"} -t "$full" .
  rm -f "$result.new"
  case $builder in
    podman)  podman build "$@" && podman save --format docker-archive -o "$result.new" "$full" ;;
    docker)  docker build "$@" && docker save -o "$result.new" "$full" ;;
    buildah) buildah build --layers "$@" && buildah push "$full" "docker-archive:$result.new:$full" ;;
  esac && mv "$result.new" "$result"
}

# The root file system is kept, and the runner's dependencies: they change with what they are made of, not with the code.
by_archive() {
  kept=$(dirname "$result")
  root=$kept/root-$(cd "$here" && cat packages rootfs.sh compile.sh | digest)
  if [ ! -d "$root" ]; then
    rm -rf "$kept"/root-*
    # shellcheck disable=SC2046
    "$here/rootfs.sh" "$root.new" $(cat "$here/packages")
    mv "$root.new" "$root"
  fi
  code=$(mktemp -d "$result.code.XXXXXX")
  trap 'rm -rf "$code"' EXIT
  trap 'exit 1' INT TERM HUP
  "$name" "$code/opt/squall"
  "$here/compile.sh" "$root" "$code"
  # shellcheck disable=SC2086
  python3 "$here/archive.py" --containerfile "$recipe" --reference "$reference" --architecture "$(dpkg --print-architecture)" \
    "$result" "$root" ${dependencies:-} "$code"
}

digest() { sha256sum | cut -c 1-12; }

injector() {
  mkdir -p "$1"
  cp "$here/injector"/*.py "$1"
}

runner() {
  injector "$1/containers/injector"
  cp -R run_chaos.py chaos_modules config scenarios "$1"
  find "$1" -name __pycache__ -prune -exec rm -rf {} +
  requirements=$(sed -n '/^dependencies = \[/,/^\]/s/^ *"\(.*\)",$/\1/p' pyproject.toml)
  dependencies=$kept/dependencies-$({ echo "$root $requirements"; cat "$here/runner/dependencies.sh"; } | digest)
  if [ ! -d "$dependencies" ]; then
    rm -rf "$kept"/dependencies-*
    echo "$requirements" | "$here/runner/dependencies.sh" "$root" "$dependencies.new"
    mv "$dependencies.new" "$dependencies"
  fi
}

builder=${BUILDER:-}
[ -n "$builder" ] || for tool in podman docker buildah; do
  if "$tool" info >/dev/null 2>&1; then builder=$tool; break; fi
done
case ${builder:-archive} in
  archive) by_archive ;;
  podman | docker | buildah)
    by_tool || {
      [ -z "${BUILDER:-}" ] || exit 1
      echo "notice: $builder cannot build it here; building it without container tool and registry" >&2
      by_archive
    } ;;
  *) echo "BUILDER is podman, docker, buildah or archive, not $builder" >&2; exit 1 ;;
esac
touch -r "$result.started" "$result"
rm "$result.started"
echo "built $reference: $result ($(du -h "$result" | cut -f 1))"
