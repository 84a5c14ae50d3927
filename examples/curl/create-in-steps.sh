#!/bin/sh
# Makes a workflow piece by piece, as a program would that knows its jobs only when it runs: first the files, then what jobs need,
# then all jobs in one request. The edges come from the files: work_N reads what setup writes, report reads what all works write.
# Usage: create-in-steps.sh [NUMBER OF WORKS, default 3]
# Prints the id of the workflow. It does not start yet: initialize.sh does that.
set -eu
. "$(dirname "$0")/service.sh"
works=${1:-3}

workflow=$(pick .id send POST /workflows "{\"name\": \"in_steps\", \"user\": \"${USER:-me}\", \"env\": {\"LEVEL\": \"3\"}}")

# Ids come back in the order of the entries.
files=$(jq -n --argjson workflow "$workflow" --argjson works "$works" '
  {files: (["start"] + [range($works) | "part_\(.)"] | map({workflow_id: $workflow, name: ., path: "out/\(.).txt"}))}')
ids=$(pick '[.files[].id]' send POST /bulk_files "$files")

small=$(pick .id send POST /resource_requirements "$(jq -n --argjson workflow "$workflow" '
  {workflow_id: $workflow, name: "small", num_cpus: 1, memory: "500m", runtime: "PT10M"}')")

jobs=$(jq -n --argjson workflow "$workflow" --argjson works "$works" --argjson ids "$ids" --argjson small "$small" '
  def job($name; $command; $in; $out):
    {workflow_id: $workflow, name: $name, command: $command, resource_requirements_id: $small,
     input_file_ids: $in, output_file_ids: $out};
  {jobs: ([job("setup"; "mkdir -p out && echo $LEVEL > out/start.txt"; []; $ids[0:1])]
    + [range($works) | job("work_\(.)"; "cat out/start.txt > out/part_\(.).txt"; $ids[0:1]; $ids[. + 1:. + 2])]
    + [job("report"; "cat out/part_*.txt"; $ids[1:]; [])])}')
send POST /bulk_jobs "$jobs" >/dev/null

echo "$workflow"
