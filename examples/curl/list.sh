#!/bin/sh
# Lists the workflows of a server, the newest first.
# Usage: list.sh [USER]
# Prints one line per workflow that is not archived: its id, its user, its name.
set -eu
. "$(dirname "$0")/service.sh"

pick '.items[] | "\(.id) \(.user) \(.name)"' api GET "/workflows?is_archived=false&reverse_sort=true&user=${1:-}"
