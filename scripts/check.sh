#!/bin/sh
# What a machine can check about the code: types, lint, format, and which way imports point.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
bin=tests/node_modules/.bin
"$bin/tsc" -p tsconfig.json
"$bin/biome" check --error-on-warnings .
node scripts/check-imports.mjs
