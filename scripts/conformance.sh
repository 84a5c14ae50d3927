#!/bin/sh
# Tests control planes as they are deployed, over HTTP: `npm run conformance -- node+file node+sqld deno+sqld workerd+sqld`, or some of
# these; without a name all four. One suite for all, tests/conformance.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
node scripts/build.mjs
export NO_COLOR=1
[ $# -gt 0 ] || set -- node+file node+sqld deno+sqld workerd+sqld
for target in "$@"; do
  echo "Conformance of $target:"
  HEADRACE_TARGET="$target" tests/node_modules/.bin/vitest run --config tests/vitest.config.ts
done
