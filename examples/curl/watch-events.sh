#!/bin/sh
# Shows what happens in a workflow while it happens, one line each.
# Usage: watch-events.sh WORKFLOW [LEVEL, default info: debug, info, warning or error]
# Comes back after a lost connection with the number of the last event it saw, so that none is missed. End it with Ctrl-C.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -ge 1 ] || usage

last=$(mktemp)
trap 'rm -f "$last"' EXIT
trap 'exit 0' INT TERM
while :; do
  credentials |
    curl --silent --no-buffer --config - --header "Last-Event-ID: $(cat "$last")" \
      "$base/workflows/$1/events/stream?level=${2:-info}" |
    while IFS= read -r line; do
      case $line in
        id:*) echo "${line#id: }" >"$last" ;;
        data:*) printf '%s\n' "${line#data: }" | jq -r '"\(.event_type) \(.data.job_name // "")"' ;;
      esac
    done
  sleep 1
done
