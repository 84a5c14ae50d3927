#!/bin/sh
# Installs what is missing: the program's packages, and those that only tests and checks need. Does nothing when both are up to date.
set -eu
cd "$(dirname "$0")/.."

install_in() {
  # npm leaves a copy of the lock file beside what it installed.
  if [ ! -f "$1/node_modules/.package-lock.json" ] || [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    npm ci --prefix "$1" --no-audit --no-fund --loglevel=error
  fi
}

install_in .
install_in tests
