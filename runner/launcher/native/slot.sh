# One slot of the stand-in launcher: a resident bash that starts one job after the other (runner/launcher/slot.ts feeds it).
# Arguments: the launcher's id, the journal, the launcher's scratch directory, the slot's number.
# Requests come on standard input as texts that end in NUL, so that nothing in them is ever read as shell.
# Records go to the journal (8) and then, the same lines, to the runner (9). Runs on bash 3.2 too.

id=$1
dir=$3
times_file=$3/times.$4
# What another program left open in the runner is not for the jobs.
for fd in /dev/fd/*; do
  fd=${fd##*/}
  if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
done
exec 8>>"$2" 9>&1 1>/dev/null
set -f

# errno and step numbers, as the native launcher has them.
ENOENT=2 EACCES=13 ENOTDIR=20 EISDIR=21
STEP_STDOUT=1 STEP_STDERR=2 STEP_CWD=3 STEP_EXEC=6

# ---- requests ----

take() {
  IFS= read -r -d '' "$1"
}

take_list() {
  local count item
  list=()
  take count || return 1
  while [ "$count" -gt 0 ]; do
    take item || return 1
    list+=("$item")
    count=$((count - 1))
  done
}

take_request() {
  take tag && take queued && take label && take cwd && take out && take err && take path && take with_base &&
    take_list && overlay=("${list[@]}") && take_list && argv=("${list[@]}")
}

# Whoever makes this file first decides: we, that the launch starts, or the runner, that it is taken back.
is_ours_to_start() {
  [ "$queued" = 1 ] || return 0
  set -C
  : >"$dir/go.$tag"
  local made=$?
  set +C
  return "$made"
}

# ---- what cannot be started ----

fail() {
  error=$1 step=$2
  return 1
}

blame_log() {
  local parent=${1%/*}
  if [ -d "$1" ]; then
    fail "$EISDIR" "$2"
  elif [ ! -e "${parent:-/}" ]; then
    fail "$ENOENT" "$2"
  elif [ ! -d "${parent:-/}" ]; then
    fail "$ENOTDIR" "$2"
  else
    fail "$EACCES" "$2"
  fi
}

open_logs() {
  command exec 5>"$out" || { blame_log "$out" "$STEP_STDOUT"; return 1; }
  if [ -z "$err" ]; then
    exec 6>&5
  else
    command exec 6>"$err" || { blame_log "$err" "$STEP_STDERR"; return 1; }
  fi
}

check_cwd() {
  [ -n "$cwd" ] || return 0
  if [ ! -e "$cwd" ]; then
    fail "$ENOENT" "$STEP_CWD"
  elif [ ! -d "$cwd" ]; then
    fail "$ENOTDIR" "$STEP_CWD"
  elif [ ! -x "$cwd" ]; then
    fail "$EACCES" "$STEP_CWD"
  fi
}

check_program() {
  local program=${argv[0]}
  case $program in
    /*) ;;
    */*) program=${cwd:-.}/$program ;;
    *)
      PATH=$path type -P -- "$program" || fail "$ENOENT" "$STEP_EXEC"
      return
      ;;
  esac
  if [ ! -e "$program" ]; then
    fail "$ENOENT" "$STEP_EXEC"
  elif [ -d "$program" ] || [ ! -x "$program" ]; then
    fail "$EACCES" "$STEP_EXEC"
  fi
}

# ---- records ----

record() {
  local again=
  # On a full disk the job's report waits until there is room: what the journal does not hold must not be reported.
  until printf '%s%s #%d\n' "$again" "$1" "${#1}" >&8; do
    again=$'\n'
    sleep 1
  done
  printf '%s #%d\n' "$1" "${#1}" >&9
}

record_start() {
  record "S $id $tag $pid $ticks $ticks $started $label"
}

# Arguments: code, signal, errno, step.
record_exit() {
  record "E $id $tag $1 $2 $3 $4 $started $exited $user_ms.000 $system_ms.000 0 $strays $cut"
}

# ---- clocks ----

if [ -n "$EPOCHREALTIME" ]; then
  read_clock() {
    local now=$EPOCHREALTIME
    local fraction=${now#*.}
    clock=${now%.*}${fraction:0:3}.${fraction:3}
  }
else
  read_clock() {
    clock=$(date +%s)000
  }
fi

# 1m2.345s → 62345
to_ms() {
  local minutes=${1%m*} seconds=${1#*m}
  seconds=${seconds%s}
  ms=$((minutes * 60000 + 10#${seconds%.*} * 1000 + 10#${seconds#*.}))
}

# The user and system time of all children that have been waited for: a job's is the difference.
read_usage() {
  local user system
  # Written over rather than truncated: truncating makes ext4 write the file out, a millisecond each time.
  times 1<>"$times_file"
  { read -r _; read -r user system; } <"$times_file"
  to_ms "$user"
  all_user_ms=$ms
  to_ms "$system"
  all_system_ms=$ms
}

# The start time of $pid in ticks since boot, 0 when it is gone or there is no /proc.
read_ticks() {
  local stat
  ticks=0
  read -r stat <"/proc/$pid/stat" || return
  set -- ${stat##*) }
  ticks=${20}
}

# ---- the job ----

# In a subshell, which becomes the program: `env` gives it the exact environment, names that no shell accepts included.
become_program() {
  [ -z "$cwd" ] || cd -- "$cwd" || exit 126
  exec env -i -- "${base[@]}" "${overlay[@]}" "${argv[@]}" </dev/null >&5 2>&6 5>&- 6>&- 8>&- 9>&-
}

start() {
  # Job control is on for the moment of the fork only: it gives the job a group of its own. With it on, `wait` would also
  # return for a job that was merely stopped.
  set -m
  become_program &
  pid=$!
  set +m
}

# How many processes are left in the job's group, those not counted that have ended but were not waited for.
count_group() {
  local file stat
  left=0
  [ -e /proc/self/stat ] || { left=1; return; }
  set +f
  for file in /proc/[0-9]*/stat; do
    read -r stat <"$file" || continue
    set -- ${stat##*) }
    if [ "$3" = "$pid" ] && [ "$1" != Z ]; then left=$((left + 1)); fi
  done
  set -f
}

# Kills what the job left in its group and waits until it is gone; 5 s, since only the kernel can hold it longer.
end_group() {
  local tries=0
  count_group
  strays=$left
  kill -s KILL -- "-$pid"
  while [ "$left" -gt 0 ] && [ "$tries" -lt 250 ] && kill -s 0 -- "-$pid"; do
    sleep 0.02
    count_group
    tries=$((tries + 1))
  done
}

run() {
  start
  exec 5>&- 6>&-
  read_ticks
  record_start
  wait "$pid"
  local code=$? user_before=$all_user_ms system_before=$all_system_ms signal=0
  read_clock
  exited=$clock
  read_usage
  user_ms=$((all_user_ms - user_before)) system_ms=$((all_system_ms - system_before))
  if kill -s 0 -- "-$pid"; then
    end_group
    read_usage
  fi
  # A shell cannot tell `exit 137` from a KILL: both are taken for the signal, as shells do.
  if [ "$code" -gt 128 ] && [ "$code" -le 192 ]; then
    signal=$((code - 128)) code=-1
  fi
  if [ "$signal" = 9 ] && [ -e "$dir/cut" ]; then cut=1; fi
  record_exit "$code" "$signal" 0 0
}

read_usage
take_list
own_environment=("${list[@]}")
while take_request; do
  is_ours_to_start || continue
  base=()
  if [ "$with_base" = 1 ]; then base=("${own_environment[@]}"); fi
  pid=0 ticks=0 strays=0 cut=0 user_ms=0 system_ms=0 error=0 step=0
  read_clock
  started=$clock exited=$clock
  if open_logs && check_cwd && check_program; then
    run
  else
    exec 5>&- 6>&-
    record_start
    record_exit -1 0 "$error" "$step"
  fi
done
