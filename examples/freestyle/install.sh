#!/bin/sh
# Puts last9-markers and its bundle into DIRECTORY, if the bundle is the one you have checked. For agent images and provisioning.
# Usage: install.sh BUNDLE SHA256 DIRECTORY, where BUNDLE is a file or an https URL. Needs the file last9-markers beside this one.
set -eu
[ $# -eq 3 ] || { echo "usage: install.sh BUNDLE SHA256 DIRECTORY" >&2; exit 2; }
bundle=$1 sha256=$2 directory=$3

mkdir -p "$directory"
aside=$(mktemp -d "$directory/.installing.XXXXXX")
trap 'rm -rf "$aside"' EXIT
trap 'exit 1' HUP INT TERM

case $bundle in
    https://*) curl --fail --silent --show-error --location --proto '=https' --output "$aside/last9-markers.pyz" "$bundle" ;;
    *) cp -- "$bundle" "$aside/last9-markers.pyz" ;;
esac
echo "$sha256  $aside/last9-markers.pyz" | sha256sum --check --quiet --strict - || {
    echo "$bundle is not the bundle with SHA-256 $sha256: nothing was installed" >&2
    exit 1
}
cp -- "${0%/*}/last9-markers" "$aside/last9-markers"
chmod 755 "$aside/last9-markers"
chmod 644 "$aside/last9-markers.pyz"
# Each by one rename: a build that is running meanwhile sees the old file or the new one.
mv -f -- "$aside/last9-markers.pyz" "$directory/last9-markers.pyz"
mv -f -- "$aside/last9-markers" "$directory/last9-markers"
