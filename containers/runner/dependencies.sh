#!/bin/sh
# The runner's dependencies for the Python of an image: dependencies.sh ROOT FOLDER < requirements. They come as wheels from the index that pip uses.
set -eu
root=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$(cd "$root/usr/lib" && echo python3.*)
mkdir -p "$folder/opt/squall/lib"
requirements=$(mktemp)
trap 'rm -f "$requirements"' EXIT
cat > "$requirements"
"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile --target "$folder/opt/squall/lib" \
  --only-binary=:all: --implementation cp --python-version "${version#python}" \
  --platform "manylinux_2_28_$(uname -m)" --platform "manylinux2014_$(uname -m)" --requirement "$requirements"
# Half of the Kubernetes client is its asynchronous twin, which nothing here imports.
rm -rf "$folder/opt/squall/lib/bin" "$folder/opt/squall/lib/kubernetes/aio"
"$here/../compile.sh" "$root" "$folder"
