#!/bin/sh
# hr-exec where no C compiler is: the same command line (native/options.c), over named pipes (runner/exec/fifo-door.ts).
# What it cannot do: hand signals on that are sent to it alone (the resident part ends its processes then), give tasks a group of their
# own, tell peak memory. Binding takes taskset(1) and is done only when --bind-to core is given: it is one program more to start.
# Plain POSIX shell without arrays; nothing is started on the way to the command but the shell itself.

slots=512
grace_s=5
names='n np c cpus-per-task gpus mem l label timeout wdir env genv outfile-pattern errfile-pattern bind-to map-by keep-going no-record record-to node-status help h'

# ---- the command line ----

gpus=0 memory_bytes=0 time_s= labels=0 bind=0 keep_going=0 status=0 record=- out_pattern= err_pattern=

give_up() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

refuse_name() {
  nearest=$(awk -v word="$2" -v names="$names" 'BEGIN {
    count = split(names, known, " "); least = 99
    for (n = 1; n <= count; n++) {
      b = length(known[n])
      for (j = 0; j <= b; j++) row[j] = j
      for (i = 1; i <= length(word); i++) {
        diagonal = row[0]; row[0] = i
        for (j = 1; j <= b; j++) {
          best = diagonal + (substr(word, i, 1) != substr(known[n], j, 1))
          diagonal = row[j]
          if (row[j] + 1 < best) best = row[j] + 1
          if (row[j - 1] + 1 < best) best = row[j - 1] + 1
          row[j] = best
        }
      }
      if (row[b] < least) { least = row[b]; nearest = known[n] }
    }
    if (least <= (length(word) > 4 ? 3 : 1)) print (length(nearest) > 1 ? "--" : "-") nearest
  }')
  [ -z "$nearest" ] || give_up 2 "Cannot use the option $1 as it is unknown: did you mean $nearest?"
  give_up 2 "Cannot use the option $1 as it is unknown: hr-exec --help lists the options"
}

# Arguments: option, text, least. Sets `count`.
read_count() {
  count=$2
  case $2 in
    '' | *[!0-9]* | ??????*) count=-1 ;;
  esac
  [ "$count" -ge "$3" ] && [ "$count" -le 100000 ] ||
    give_up 2 "Cannot read $1 as it must be a whole number from $3 to 100000: current value is $2"
}

read_memory() {
  memory_bytes=$(printf '%s\n' "$2" | awk '
    tolower($0) ~ /^[0-9]+(\.[0-9]*)?([kmgt](i?b)?)?$/ && $0 + 0 > 0 {
      match(tolower($0), /[kmgt]/)
      power = RSTART ? index("kmgt", substr(tolower($0), RSTART, 1)) : 0
      printf "%.0f", int(($0 + 0) * 1024 ^ power)
    }')
  [ -n "$memory_bytes" ] ||
    give_up 2 "Cannot read $1 as it must be an amount of memory like 512m or 2g: current value is $2"
}

read_duration() {
  time_s=$(printf '%s\n' "$2" | awk '
    /^[0-9]+(\.[0-9]*)?$/ { seconds = $0 + 0 }
    /^([0-9]+(\.[0-9]*)?[dhms])+$/ {
      rest = $0
      while (match(rest, /[dhms]/)) {
        unit = substr(rest, RSTART, 1)
        seconds += substr(rest, 1, RSTART - 1) * (unit == "d" ? 86400 : unit == "h" ? 3600 : unit == "m" ? 60 : 1)
        rest = substr(rest, RSTART + 1)
      }
    }
    END { if (seconds > 0) printf "%.3f", seconds }')
  [ -n "$time_s" ] || give_up 2 "Cannot read $1 as it must be a time like 90 or 1h30m: current value is $2"
}

check_name() {
  case $1 in
    '' | [0-9]* | *[!A-Za-z0-9_]*) give_up 2 "Cannot set a variable as its name is not possible: current name is $1" ;;
  esac
}

read_workflow() {
  case $2 in
    '' | *[!0-9]* | ????????????????*) give_up 2 "Cannot read $1 as it must be the id of a workflow: current value is $2" ;;
  esac
  record=$2
}

print_usage() {
  self=$(readlink -f -- "$0")
  cat "${self%/*}/usage.txt"
  exit 0
}

# Reads the options in front of a program. Sets tasks, cpus, directory, setting_1 … and setting_count, and how many words the options
# are (skip) and the command is (words).
read_program() {
  tasks=1 cpus=1 directory= setting_count=0 skip=0 words=0
  while [ $# -gt 0 ]; do
    case $1 in
      --) skip=$((skip + 1)); shift; break ;;
      -?*) ;;
      *) break ;;
    esac
    option=$1
    name=${option#-}
    name=${name#-}
    wanted=1
    case ${name%%=*} in
      env | genv) wanted=2 ;;
      l | label | keep-going | no-record | node-status | help | h) wanted=0 ;;
    esac
    case " $names " in
      *" ${name%%=*} "*) ;;
      *) refuse_name "$option" "${name%%=*}" ;;
    esac
    shift
    skip=$((skip + 1))
    case $name in
      *=*)
        [ "$wanted" = 1 ] || give_up 2 "Cannot use ${option%%=*} with a value behind an equals sign"
        value=${name#*=} name=${name%%=*}
        ;;
      *)
        [ $# -ge "$wanted" ] || {
          [ "$wanted" = 1 ] || give_up 2 "Cannot use $option without a name and a value"
          give_up 2 "Cannot use $option without a value"
        }
        value=${1-} second=${2-}
        shift "$wanted"
        skip=$((skip + wanted))
        ;;
    esac
    case $name in
      n | np) read_count "$option" "$value" 1; tasks=$count ;;
      c | cpus-per-task) read_count "$option" "$value" 1; cpus=$count ;;
      gpus) read_count "$option" "$value" 0; gpus=$count ;;
      mem) read_memory "$option" "$value" ;;
      l | label) labels=1 ;;
      timeout) read_duration "$option" "$value" ;;
      wdir) directory=$value ;;
      env) check_name "$value"; setting_count=$((setting_count + 1)); eval "setting_$setting_count=\$value=\$second" ;;
      genv) check_name "$value"; export "$value=$second" ;;
      outfile-pattern) out_pattern=$value ;;
      errfile-pattern) err_pattern=$value ;;
      bind-to)
        case $value in
          core) bind=1 ;;
          none) bind=0 ;;
          *) give_up 2 "Cannot read --bind-to as it must be core or none: current value is $value" ;;
        esac
        ;;
      map-by)
        case $value in
          core | slot | node | socket | numa | hwthread) ;;
          *) give_up 2 "Cannot read --map-by as it must be core, slot, node, socket, numa or hwthread: current value is $value" ;;
        esac
        ;;
      keep-going) keep_going=1 ;;
      no-record) record=none ;;
      record-to) read_workflow "$option" "$value" ;;
      node-status) status=1 ;;
      help | h) print_usage ;;
    esac
  done
  for word; do
    [ "$word" != : ] || break
    words=$((words + 1))
  done
  [ "$words" -gt 0 ] || [ "$status" = 1 ] || give_up 2 'Cannot launch without a program: hr-exec --help shows an example'
}

# ---- the resident part ----

find_node() {
  if [ -n "$HEADRACE_NODE_SOCKET" ]; then
    base=$HEADRACE_NODE_SOCKET
  elif [ -n "$XDG_RUNTIME_DIR" ]; then
    base=$XDG_RUNTIME_DIR/headrace/node.sock
  else
    # Looked for by its owner, since the shell does not know its uid and id(1) is one program more to start.
    for base in /tmp/headrace-*/node.sock "/tmp/headrace-uid/node.sock"; do
      [ ! -O "${base%/*}" ] || break
    done
  fi
}

# Without a reader a pipe would keep us for ever.
is_node_there() {
  node_pid=
  [ -O "$base.requests" ] && read -r node_pid _ <"$base.pid" && kill -0 "$node_pid"
} 2>/dev/null

# The runner around a job opens its pipes while the first jobs begin.
need_node() {
  looks=0
  case $HEADRACE_GRANT in
    *-job-*) looks=50 ;;
  esac
  until is_node_there; do
    [ "$looks" -gt 0 ] || give_up 125 "Cannot launch as no runner answers at $base: \`runner node\` starts one"
    looks=$((looks - 1))
    sleep 0.1
  done
}

# Whoever makes the file has the slot. The start is spread by our pid, so that the first try mostly wins.
take_slot() {
  slot=$(($$ % slots))
  tries=0
  set -C
  until { echo "$$" >"$base.taken.$slot"; } 2>/dev/null; do
    slot=$(((slot + 1) % slots))
    tries=$((tries + 1))
    [ $((tries % slots)) -gt 0 ] || {
      need_node
      sleep 0.1
    }
  done
  set +C
}

# Without the pipe, which somebody may have removed, a file would be made in its place.
say() {
  [ ! -p "$base.requests" ] || printf '%s %s %s\n' "$slot" "$$" "$*" >"$base.requests"
}

# Sets `reply` to its first word and `rest` to the others.
listen() {
  IFS=' ' read -r reply rest <"$base.reply.$slot" || give_up 125 'Cannot launch as the runner went away while this waited for cores'
}

# Arguments: the command, for the record.
ask_for_grant() {
  command=$*
  case $command in
    *[[:cntrl:]]*) command=$(printf '%s' "$command" | tr '\000-\037' ' ') ;;
  esac
  around=${HEADRACE_GRANT:--}
  case $around in
    *[!A-Za-z0-9.-]*) around=- ;;
  esac
  need_node
  take_slot
  printf '%s %s ask 1 %s %s %s %s %s %.1000s\n' "$slot" "$$" "$all_cpus" "$gpus" "$memory_bytes" "$around" "$record" "$command" \
    >"$base.requests"
  listen
  [ "$reply" != refuse ] || give_up "${rest%% *}" "${rest#* }"
  [ "$reply" = grant ] || give_up 125 'Cannot launch as what answers is no runner of this version'
  id=${rest%% *} rest=${rest#* }
  is_ours=${rest%% *} rest=${rest#* }
  cores=${rest%% *} gpu_list=${rest#* }
}

# The CPU time of all that has ended, in ms. A shell tells it in clock ticks.
read_usage() {
  # Written over rather than truncated: truncating makes ext4 write the file out, a millisecond each.
  times 1<>"$base.times.$slot"
  { read -r _; read -r user system; } <"$base.times.$slot"
  to_ms "$user"
  user_ms=$ms
  to_ms "$system"
  system_ms=$ms
} 2>/dev/null

# 1m2.345000s → 62345
to_ms() {
  whole=${1%s}
  minutes=${whole%m*} seconds=${whole#*m}
  fraction=${seconds#*.}00
  fraction=${fraction%"${fraction#???}"}
  ms=$((minutes * 60000 + ${seconds%.*} * 1000 + ${fraction#"${fraction%%[!0]*}"}0 / 10))
}

# ---- tasks ----

# Sets own_cores to the next of the cores that were lent.
deal_cores() {
  own_cores=
  [ "$cores" != - ] || return
  dealt=0
  while [ "$dealt" -lt "$cpus" ]; do
    own_cores=$own_cores${own_cores:+,}${cores%%,*}
    cores=${cores#*,}
    dealt=$((dealt + 1))
  done
}

expand_pattern() {
  printf '%s' "$1" | sed "s/%r/$rank/g; s/%h/$(uname -n)/g; s/%%/%/g"
}

export_common() {
  export HEADRACE_LAUNCH="${HEADRACE_LAUNCH:+$HEADRACE_LAUNCH }$id" HEADRACE_GRANT="$id"
  export SIZE="$size" WORLD_SIZE="$size" LOCAL_SIZE="$size" LOCAL_WORLD_SIZE="$size" NODE_RANK=0
  unset HEADRACE_GPUS HEADRACE_CORES
  if [ "$gpus" -gt 0 ]; then
    export HEADRACE_GPUS="$gpu_list" CUDA_VISIBLE_DEVICES="$gpu_list" HIP_VISIBLE_DEVICES="$gpu_list" ROCR_VISIBLE_DEVICES="$gpu_list"
  fi
}

# Sets out_file and err_file, empty files, before the task starts: of a file that several share the first one is the first.
prepare_files() {
  out_file=
  err_file=
  [ -z "$out_pattern" ] || { out_file=$(expand_pattern "$out_pattern"); empty_file "$out_pattern" "$out_file"; }
  [ -z "$err_pattern" ] || { err_file=$(expand_pattern "$err_pattern"); empty_file "$err_pattern" "$err_file"; }
}

empty_file() {
  case $1 in
    *%r*) ;;
    *) [ "$rank" = 0 ] || return 0 ;;
  esac
  { : >|"$2"; } 2>/dev/null
}

# Becomes the task's program; run in a subshell of its own. Arguments: the command.
become_program() {
  export RANK="$rank" LOCAL_RANK="$rank"
  [ -z "$own_cores" ] || export HEADRACE_CORES="$own_cores"
  while [ "$setting_count" -gt 0 ]; do
    eval "export \"\$setting_$setting_count\""
    setting_count=$((setting_count - 1))
  done
  # A file that cannot be opened ends the subshell with what the shell says about it.
  [ -z "$out_file" ] || command exec >>"$out_file" || exit 126
  [ -z "$err_file" ] || command exec 2>>"$err_file" || exit 126
  [ -z "$directory" ] || cd -- "$directory" || exit 126
  [ -z "$time_s" ] || set -- timeout --foreground -k "$grace_s" "$time_s" "$@"
  [ "$bind$is_ours" != 11 ] || [ -z "$own_cores" ] || set -- taskset -c "$own_cores" "$@"
  exec "$@"
}

print_labelled() {
  while IFS= read -r line || [ -n "$line" ]; do printf '[%s] %s\n' "$rank" "$line"; done
}

# Makes pipes, 6 for output and 7 for errors, of which somebody reads who puts the rank in front of every line. We hold their writing
# ends until the task has them: it may be ended before it does anything.
open_labels() {
  pipe=$base.task.$slot.$rank
  mkfifo -m 600 "$pipe.out" "$pipe.err"
  exec 6<>"$pipe.out" 7<>"$pipe.err"
  # By `exec`, which keeps no copy of what it closes: the pipes end when the tasks have ended.
  (
    exec <"$pipe.out" 6>&- 7>&- 8<&- 9>&-
    print_labelled
  ) &
  label_pids="$label_pids $!"
  (
    exec <"$pipe.err" >&9 6>&- 7>&- 8<&- 9>&-
    print_labelled
  ) &
  label_pids="$label_pids $!"
}

# Arguments: the program's command. In the background dash hears no interrupt, so that ours is handed on as TERM.
start_tasks() {
  started=0
  while [ "$started" -lt "$tasks" ]; do
    deal_cores
    prepare_files
    exec 6>&1 7>&9
    [ "$labels" = 0 ] || open_labels
    (
      if [ "$rank" = 0 ]; then exec <&8; else exec </dev/null; fi
      exec >&6 2>&7 6>&- 7>&- 8<&- 9>&-
      become_program "$@"
    ) &
    pids="$pids $!"
    exec 6>&- 7>&-
    rank=$((rank + 1))
    started=$((started + 1))
  done
}

end_tasks() {
  [ "$ending" = 0 ] || return
  ending=1
  kill -s TERM $pids
  { sleep "$grace_s"; kill -s KILL $pids; } &
}

# Waits for the tasks as they end. Those that we ended say nothing about the launch.
wait_for_tasks() {
  while [ -n "$pids" ]; do
    left=
    for pid in $pids; do
      if kill -s 0 "$pid"; then
        left="$left $pid"
        continue
      fi
      wait "$pid"
      one=$?
      [ "$ending" = 1 ] && [ "$one" -gt 128 ] || [ "$one" -le "$code" ] || code=$one
    done
    pids=$left
    [ "$code" = 0 ] || [ "$keep_going" = 1 ] || end_tasks
    # It also reaps what has ended.
    [ -z "$pids" ] || sleep 0.02
  done
}

run_tasks() {
  pids= label_pids= rank=0 code=0 ending=0
  trap end_tasks HUP INT QUIT TERM
  while [ $# -gt 0 ]; do
    read_program "$@"
    refs=
    n=$skip
    while [ "$n" -lt $((skip + words)) ]; do
      n=$((n + 1))
      refs="$refs \"\${$n}\""
    done
    eval "start_tasks $refs"
    [ $# -gt "$n" ] && n=$((n + 1))
    shift "$n"
  done
  wait_for_tasks
  for pid in $label_pids; do wait "$pid"; done
  [ "$labels" = 0 ] || rm -f "$base.task.$slot".*
}

# ---- the way of one launch ----

[ -z "$HEADRACE_EXEC_WORKFLOW" ] || read_workflow HEADRACE_EXEC_WORKFLOW "$HEADRACE_EXEC_WORKFLOW"
read_program "$@"
find_node
if [ "$status" = 1 ]; then
  need_node
  take_slot
  say 'status 1'
  listen
  printf '%s\n' "$rest"
  exit 0
fi

if [ $# = $((skip + words)) ] && [ "$tasks" = 1 ] && [ "$labels" = 0 ]; then
  size=1 rank=0 all_cpus=$cpus
  shift "$skip"
  ask_for_grant "$@"
  deal_cores
  prepare_files
  export_common
  # The shell's own word about a task that was killed is for nobody.
  exec 9>&2 2>/dev/null
  (
    exec 2>&9 9>&-
    become_program "$@"
  )
  code=$?
else
  size=0 all_cpus=0 programs=$#
  while [ "$programs" -gt 0 ]; do
    size=$((size + tasks)) all_cpus=$((all_cpus + tasks * cpus))
    used=$((skip + words + 1))
    programs=$((programs - used))
    [ "$programs" -le 0 ] || eval "read_rest() { shift $(($# - programs)); read_program \"\$@\"; }; read_rest \"\$@\""
  done
  [ "$size" -le 100000 ] || give_up 2 'Cannot launch more than 100000 tasks at once'
  ask_for_grant "$@"
  export_common
  exec 8<&0 9>&2 2>/dev/null
  run_tasks "$@"
fi
read_usage
say "end $code 0 0 $user_ms $system_ms 0"
exit "$code"
