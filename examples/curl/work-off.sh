#!/bin/sh
# Works off a workflow by hand: registers as a compute node, claims ready jobs, runs them here one after the other, and reports them in
# one batch, until there is nothing left to claim. What a runner does, without its care for crashes: see `runner run` for that.
# Usage: work-off.sh WORKFLOW
# Prints one line per job that has ended.
set -eu
. "$(dirname "$0")/service.sh"
[ $# -eq 1 ] || usage
workflow=$1
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

node=$(pick .id send POST /compute_nodes "{\"workflow_id\": $workflow, \"hostname\": \"$(hostname)\", \"pid\": $$, \"start_time\": \"$(now)\",
  \"num_cpus\": 2, \"memory_gb\": 4, \"num_gpus\": 0, \"num_nodes\": 1, \"compute_node_type\": \"local\"}")
run=$(pick .run_id api GET "/workflows/$workflow")
offer='{"num_cpus": 2, "memory_gb": 4, "num_gpus": 0, "num_nodes": 1}'

# run_job JOB: runs one claimed job and prints its completion.
run_job() {
  id=$(printf '%s' "$1" | jq .id)
  api PUT "/jobs/$id/start_job/$run/$node" >/dev/null
  command=$(printf '%s' "$1" | jq -r .command)
  variables=$(printf '%s' "$1" | jq -r '.env // {} | to_entries[] | "export \(.key)=\(.value | @sh)"')
  code=0
  (eval "$variables" && exec bash -c "$command") >&2 </dev/null || code=$?
  status=completed
  [ "$code" -eq 0 ] || status=failed
  printf '%s' "$1" | jq -c --arg status "$status" --arg now "$(now)" --argjson code "$code" \
    --argjson workflow "$workflow" --argjson run "$run" --argjson node "$node" '
    {job_id: .id, status: $status, run_id: $run, result: {job_id: .id, workflow_id: $workflow, run_id: $run,
      attempt_id, compute_node_id: $node, return_code: $code, exec_time_minutes: 0, completion_time: $now, status: $status}}'
}

while :; do
  claimed=$(pick '.jobs[] | tojson' send POST "/workflows/$workflow/claim_jobs_based_on_resources/2" "$offer")
  [ -n "$claimed" ] || break
  completions=$(printf '%s\n' "$claimed" | while IFS= read -r job; do run_job "$job"; done | jq -sc '{completions: .}')
  pick '.errors[] | "refused: \(.message)"' send POST "/workflows/$workflow/batch_complete_jobs" "$completions"
  printf '%s\n' "$completions" | jq -r '.completions[] | "\(.job_id) \(.status)"'
done
send PUT "/compute_nodes/$node" '{"is_active": false}' >/dev/null
