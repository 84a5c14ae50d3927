#!/bin/sh
# Installs the two published Python clients of Torc that the tests drive, each in an environment of its own: one reads the older form of
# the contract, one the newer. Without Python or a package index they stay away, and the tests that need them say so.
set -eu
cd "$(dirname "$0")/.."
folder=tests/node_modules/.torc-clients
wanted=tests/clients/requirements.txt

install_client() {
  python3 -m venv "$1" &&
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 10 --no-deps -r "$wanted" "torc-client==$2"
}

update_client() {
  home="$folder/$1"
  # The copy of the list is written last: it tells that the environment is whole, and made from this very list.
  if cmp -s "$wanted" "$home/installed.txt"; then return; fi
  rm -rf "$home"
  if install_client "$home" "$1" >"$folder/$1.log" 2>&1; then
    cp "$wanted" "$home/installed.txt"
  else
    rm -rf "$home"
    echo "Cannot install torc-client $1 for Python, so its tests are left out: $folder/$1.log says why" >&2
  fi
}

mkdir -p "$folder"
update_client 0.27.0 &
update_client 0.35.0
wait
