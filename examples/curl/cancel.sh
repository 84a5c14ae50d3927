#!/bin/sh
# Cancels a workflow: what runs is ended by its runners, nothing more is handed out.
# Usage: cancel.sh WORKFLOW
# Prints how many jobs there are in each status then. retry-failed.sh takes it up again.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

api PUT "/workflows/$1/cancel" >/dev/null
exec sh "$(dirname "$0")/status.sh" "$1"
