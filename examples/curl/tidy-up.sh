#!/bin/sh
# Puts a workflow away: archives it, so that lists leave it out, or deletes it with all that belongs to it.
# Usage: tidy-up.sh archive|delete WORKFLOW
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 2 ] || usage

case $1 in
  archive) pick '"archived \(.name)"' send POST "/workflows/$2/archive" '{"is_archived": true}' ;;
  delete) pick '"deleted \(.name)"' api DELETE "/workflows/$2" ;;
  *) usage ;;
esac
