#!/bin/sh
# Starts a workflow that was made in steps: turns files into dependencies, and makes ready what waits for nothing.
# Usage: initialize.sh WORKFLOW
# Prints how many jobs there are in each status.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

api POST "/workflows/$1/initialize_jobs" >/dev/null
exec sh "$(dirname "$0")/status.sh" "$1"
