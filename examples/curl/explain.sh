#!/bin/sh
# Says why a job is not running.
# Usage: explain.sh WORKFLOW JOB NAME
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 2 ] || usage

NAME=$2
export NAME
job=$(pick 'first(.items[] | select(.name == env.NAME) | .id)' api GET "/jobs?workflow_id=$1")
if [ -z "$job" ]; then
  echo "There is no job $2 in workflow $1" >&2
  exit 1
fi
api GET "/jobs/$job/explain"
