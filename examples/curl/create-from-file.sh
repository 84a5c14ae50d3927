#!/bin/sh
# Makes a workflow of a workflow file (YAML, JSON, JSON5 or KDL) and starts it: runners may take its jobs from now on.
# Usage: create-from-file.sh FILE
# Prints the id of the workflow. What is wrong with the file comes back with line and column, and nothing is made.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage

pick .workflow_id api POST '/workflows/from_spec?start=true' --header 'content-type: application/yaml' --data-binary "@$1"
