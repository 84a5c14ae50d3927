#!/bin/sh
# Installs what the tests need, builds, checks, and runs the tests that an ordinary user's machine can run within minutes. Arguments
# go to the test runner: `npm test -- tests/db` runs one folder.
set -eu
cd "$(dirname "$0")/.."
built=yes
[ -e dist/runner.cjs ] || built=no
sh scripts/install.sh
# The first installation has just built it.
if [ "$built" = yes ] || [ ! -e dist/runner.cjs ]; then node scripts/build.mjs; fi
sh scripts/check.sh
export NO_COLOR=1
# Whatever had to be fetched is here. Node reads these at each of the thousands of starts that follow, which takes longer than a start.
unset NODE_EXTRA_CA_CERTS
exec tests/node_modules/.bin/vitest run --config tests/vitest.config.ts "$@"
