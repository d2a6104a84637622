#!/bin/sh
# Fetches Debian's aarch64 packages of the libraries that the tests need, and unpacks them in FOLDER, for
# cmake/aarch64-linux-gnu.cmake. Neither needs root nor touches what is installed: the list of packages for
# the other architecture is kept in FOLDER too.
#
# usage: aarch64_sysroot.sh FOLDER
set -eu
folder=$1
packages="libcmocka-dev libcmocka0 libjansson-dev libjansson4 libxxhash-dev libxxhash0"

[ ! -f "$folder/complete" ] || exit 0
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
cd "$folder"
: >apt/status
here=$(pwd)
fetch() {
    apt-get -qq -o Dir::State="$here/apt" -o Dir::State::status="$here/apt/status" -o Dir::Cache="$here/apt" \
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)" "$@"
}
fetch update || true # a source that has nothing for this architecture is an error, and does no harm
# shellcheck disable=SC2086 # words, on purpose
fetch download $packages
for package in ./*.deb; do
    dpkg -x "$package" .
done
rm -rf apt ./*.deb
touch complete
