#!/bin/sh
# Writes a whole workflow, its jobs, files, results and all, into a file that import.sh reads on any server.
# Usage: export.sh WORKFLOW FILE
# The file has one JSON record per line and comes as a stream, so its size does not matter.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 2 ] || usage

credentials | curl --silent --show-error --fail --config - --output "$2" "$base/workflows/$1/export"
# Without its last line the document was cut off.
tail -n 1 "$2" | jq -r '"exported \(.jobs) jobs"'
