#!/bin/sh
# Builds the native launcher: build.sh OUTPUT_DIRECTORY
# Without a compiler it says so in one line and succeeds: the stand-in takes over. HEADRACE_CC names the compiler or is "none".
set -eu

sources=$(cd "$(dirname "$0")" && pwd)
output=$1/headrace-launcher

# The stand-in's scripts go with every build, so that a copied output directory has all it needs.
mkdir -p "$1"
cp "$sources/slot.sh" "$sources/watchdog.sh" "$1"

if [ "$(uname -s)" != Linux ]; then
  echo 'headrace: no native launcher on this system, the shell stand-in starts the jobs' >&2
  exit 0
fi

compiler=
for candidate in ${HEADRACE_CC:-cc gcc clang}; do
  if [ "$candidate" != none ] && command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
if [ -z "$compiler" ]; then
  echo 'headrace: no C compiler, the shell stand-in starts the jobs' >&2
  exit 0
fi

if [ -x "$output" ] && [ -z "$(find "$sources" -newer "$output" -name '*.[ch]')" ]; then
  exit 0
fi

# Into place in one step, since others may build or start it at the same moment.
partial=$output.$$
trap 'rm -f "$partial"' EXIT
"$compiler" -std=c11 -O2 -Wall -Wextra -o "$partial" "$sources"/*.c
mv -f "$partial" "$output"
