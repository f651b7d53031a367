#!/bin/sh
# Brings one reviewed version from a clone of the library into the internal mirror, after its bundle has been rebuilt and compared.
# Usage: mirror.sh CLONE VERSION MIRROR-URL
set -eu
[ $# -eq 3 ] || { echo "usage: mirror.sh CLONE VERSION MIRROR-URL" >&2; exit 2; }
clone=$1 version=$2 mirror=$3

git -C "$clone" checkout --quiet --detach "$version"
make --no-print-directory -C "$clone" verify
git -C "$clone" push --quiet "$mirror" "HEAD:refs/heads/main" "$version:refs/tags/$version"
echo "mirrored $version, commit $(git -C "$clone" rev-parse HEAD): pin that in defaultVersion"
