#!/bin/sh
# Lists how the jobs of a workflow ended, page by page, so that a workflow of any size can be listed.
# Usage: results.sh WORKFLOW [STATUS]
# Prints one line per job: its name, its status, its exit code. STATUS shows only those, `failed` for example.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -ge 1 ] || usage

offset=0
more=true
while [ "$more" = true ]; do
  page=$(api GET "/results?workflow_id=$1&offset=$offset&limit=1000${2:+&status=$2}")
  printf '%s\n' "$page" | jq -r '.items[] | "\(.job_name) \(.status) \(.return_code)"'
  offset=$((offset + $(printf '%s\n' "$page" | jq .count)))
  more=$(printf '%s\n' "$page" | jq .has_more)
done
