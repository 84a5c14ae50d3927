#!/bin/sh
# Runs what failed again, and what was canceled because of it. What completed stays as it is, unless it comes after a failed job.
# Usage: retry-failed.sh WORKFLOW
# Prints how many jobs there are in each status then.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

api POST "/workflows/$1/reset_status" >/dev/null
api POST "/workflows/$1/reset_job_status?failed_only=true" >/dev/null
api POST "/workflows/$1/initialize_jobs?only_uninitialized=true" >/dev/null
exec sh "$(dirname "$0")/status.sh" "$1"
