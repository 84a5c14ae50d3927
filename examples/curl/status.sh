#!/bin/sh
# Says how far a workflow is.
# Usage: status.sh WORKFLOW
# Prints one line per status that has jobs, and at last whether the workflow is complete.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

pick '(.jobs_by_status | to_entries[] | select(.value > 0) | "\(.key) \(.value)"), "complete: \(.is_complete)"' \
  api GET "/workflows/$1/status"
