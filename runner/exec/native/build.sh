#!/bin/sh
# Builds hr-exec and the gate: build.sh OUTPUT_DIRECTORY
# Without a compiler hr-exec is the stand-in, a script. HEADRACE_CC names the compiler or is "none".
set -eu

sources=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
output=$(cd "$1" && pwd)

# Every output directory has the stand-in as well: it is asked for where native programs are of another machine.
cp "$sources/hr-exec.sh" "$sources/usage.txt" "$output"
chmod 755 "$output/hr-exec.sh"

use_stand_in() {
  # The native one of a former build may be there, which no longer fits this machine.
  rm -f "$output/headrace-gate"
  cp "$sources/hr-exec.sh" "$output/hr-exec"
  chmod 755 "$output/hr-exec"
  exit 0
}

[ "$(uname -s)" = Linux ] || use_stand_in

# They came with a package, or from a former build, and run here: that a machine has no compiler takes nothing away.
is_made() {
  [ "${HEADRACE_CC-}" != none ] && [ -x "$output/headrace-gate" ] &&
    [ -z "$(find "$sources" -newer "$output/headrace-gate")" ] && "$output/hr-exec" --help >/dev/null 2>&1
}
! is_made || exit 0

compiler=
for candidate in ${HEADRACE_CC:-cc gcc clang}; do
  if [ "$candidate" != none ] && command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
[ -n "$compiler" ] || use_stand_in

# Into place in one step, since others may build or start them at the same moment.
partial=$output/exec-build.$$
trap 'rm -rf "$partial"' EXIT
mkdir "$partial"
sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' "$sources/usage.txt" >"$partial/usage.inc"

# Linked statically a program starts in half the time; where there is no static C library it works all the same.
compile() {
  name=$1
  shift
  "$compiler" -std=c11 -O2 -Wall -Wextra -I"$partial" -static -o "$partial/$name" "$@" 2>"$partial/complaints" ||
    "$compiler" -std=c11 -O2 -Wall -Wextra -I"$partial" -o "$partial/$name" "$@"
}

cd "$sources"
compile hr-exec hr-exec.c options.c node.c tasks.c watch.c labels.c
compile headrace-gate gate.c
# The gate last: it is what says that both are there.
mv -f "$partial/hr-exec" "$output/hr-exec"
mv -f "$partial/headrace-gate" "$output/headrace-gate"
