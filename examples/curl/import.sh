#!/bin/sh
# Makes a workflow of a file that export.sh has written. All of it is there at once, or nothing.
# Usage: import.sh FILE
# Prints the id of the new workflow.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

pick .workflow_id api POST /workflows/import --header 'content-type: application/x-ndjson' --data-binary "@$1"
