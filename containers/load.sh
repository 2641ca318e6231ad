#!/bin/sh
# Image archives into a cluster's nodes: load.sh ARCHIVE... The kind of cluster is what the current context and this machine's programs say.
# CLUSTER=kind|k3d|k3s|minikube|containerd chooses, NAME names it; IMAGE_LOAD='command %s' loads %s by a command of your own.
set -eu
context=$(kubectl config current-context 2>/dev/null || true)
cluster=${CLUSTER:-}
[ -n "$cluster" ] || case $context in
  kind-* | k3d-*) cluster=${context%%-*} NAME=${NAME:-${context#*-}} ;;
  minikube) cluster=minikube ;;
  *) if command -v k3s >/dev/null; then cluster=k3s; elif [ -S /run/containerd/containerd.sock ]; then cluster=containerd; fi ;;
esac

for archive in "$@"; do
  [ -r "$archive" ] || { echo "there is no $archive: make image" >&2; exit 1; }
  if [ -n "${IMAGE_LOAD:-}" ]; then
    # shellcheck disable=SC2059
    sh -c "$(printf "$IMAGE_LOAD" "$archive")"
    continue
  fi
  case $cluster in
    kind) kind load image-archive "$archive" ${NAME:+--name "$NAME"} ;;
    k3d) k3d image import "$archive" ${NAME:+--cluster "$NAME"} ;;
    k3s) k3s ctr images import "$archive" ;;
    minikube) minikube image load "$archive" ${NAME:+--profile "$NAME"} ;;
    containerd) ctr --namespace k8s.io images import "$archive" ;;
    *) echo "no kind, k3d, minikube, k3s or containerd found for the context '$context': CLUSTER= names one, IMAGE_LOAD='command %s' is a command of your own," \
         "or push $archive to the cluster's registry and set squall.injector.image" >&2; exit 1 ;;
  esac
done
