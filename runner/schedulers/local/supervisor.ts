/**
 * What runs the elements of a local allocation, as bash: it outlives whoever submitted, holds no memory to speak of, and needs no file of
 * ours on the disk. It works in the allocation's directory, where these files are its only words with the world:
 *
 * - `pid` and INDEX.pid: process id and start time, of itself and of an element
 * - INDEX.end: exit code, or `canceled`
 * - `throttle`: how many may run at once; `cancel`: lines `all`, `queued` or an index. Both are looked at five times a second.
 *
 * Arguments: script, first, last, walltime in seconds, prefix of the output files, id.
 */
export const SUPERVISOR = String.raw`
set -m
script=$1 next=$2 last=$3 walltime=$4 output=$5 id=$6
declare -A pids ends_at told killed cancel
mkfifo wake && exec 3<>wake

start_of() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
  set -- \${stat##*) }
  printf %s "\${20}"
}
record() { printf '%s\n' "$2" >"$1.tmp" && mv -f "$1.tmp" "$1"; }
end_group() { kill "-$1" -- "-$2" 2>/dev/null; }
is_canceled() { [[ -n \${cancel[all]} || -n \${cancel[$1]} ]]; }

record pid "$$ $(start_of $$)"
while :; do
  printf -v now '%(%s)T' -1
  if [[ -e cancel ]]; then
    while read -r what; do cancel[$what]=1; done <cancel
  fi
  for index in "\${!pids[@]}"; do
    pid=\${pids[$index]}
    if ! kill -0 "$pid" 2>/dev/null; then
      wait "$pid"
      record "$index.end" $?
      unset "pids[$index]"
    elif is_canceled "$index" || ((now >= ends_at[$index])); then
      if [[ -z \${told[$index]} ]]; then
        told[$index]=$now
        end_group TERM "$pid"
      elif ((now >= told[$index] + 10)) && [[ -z \${killed[$index]} ]]; then
        killed[$index]=1
        end_group KILL "$pid"
      fi
    fi
  done
  throttle=$(<throttle)
  while ((next <= last && \${#pids[@]} < throttle)) || { ((next <= last)) && [[ -n \${cancel[all]}\${cancel[queued]} ]]; }; do
    if is_canceled "$next" || [[ -n \${cancel[queued]} ]]; then
      record "$next.end" canceled
    else
      HEADRACE_LOCAL_ID=$id HEADRACE_LOCAL_INDEX=$next /bin/bash "$script" >>"$output$next" 2>&1 </dev/null 3>&- &
      pids[$next]=$!
      ends_at[$next]=$((now + walltime))
      record "$next.pid" "$! $(start_of $!)"
    fi
    next=$((next + 1))
  done
  ((next > last && \${#pids[@]} == 0)) && break
  read -r -t 0.2 -u 3 _
done
`.replaceAll('\\$', '$')
