# One slot of the stand-in launcher: a resident bash that starts one job after the other (runner/launcher/slot.ts feeds it).
# Arguments: the launcher's id, the journal, the launcher's scratch directory, the slot's number, the slot's cgroup or nothing.
# Requests come on standard input: a length, then texts that each end in a byte which no text has, so that nothing in them is ever
# read as shell. Records go to the journal, which is standard output; a byte to the runner (9) tells it to read them. Runs on bash 3.2 too.
# Capital names are the jobs' environment, which this shell exports for them; its own names are small.

id=$1
dir=$3
times_file=$3/times.$4
group=$5
# What another program left open in the runner is not for the jobs.
for fd in /dev/fd/*; do
  fd=${fd##*/}
  if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
done
exec 9>&1 >>"$2"
# No paths are looked for, and `>` makes a new file or fails; `>|` takes one that is there.
set -fC
# Ours alone: a job gets what the launcher says.
export -n LC_ALL PATH PWD OLDPWD SHLVL

# errno and step numbers, as the native launcher has them.
enoent=2 eacces=13 enotdir=20 eisdir=21
step_stdout=1 step_stderr=2 step_cwd=3 step_exec=6

# ---- requests ----

# Options of `read` that take a number of bytes, whatever they are. Bash 3.2 has no -N; no request has a NUL, which ends its -n.
if [ "${BASH_VERSINFO[0]}" -ge 5 ] || [ "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}" \> 4.0 ]; then
  take_bytes=(-N)
else
  take_bytes=(-d '' -n)
fi

# Whether a request is there to be taken at once; bash 3.2 cannot tell.
if [ "${BASH_VERSINFO[0]}" -ge 4 ]; then
  has_request() { read -r -t 0; }
else
  has_request() { false; }
fi

take_request() {
  local length request IFS=
  read -r "${take_bytes[@]}" 8 length && read -r "${take_bytes[@]}" "$((length))" request || return 1
  IFS=$'\xfe'
  fields=($request)
}

# Of a launch; behind these fields stand the hidden names, the entries and the arguments.
name_fields() {
  tag=${fields[1]} queued=${fields[2]} label=${fields[3]} cwd=${fields[4]} out=${fields[5]} err=${fields[6]} path=${fields[7]}
  environment_by=${fields[8]} last_word=${fields[9]} hidden_count=${fields[10]} entry_count=${fields[11]}
  cpus=${fields[12]} memory_mib=${fields[13]}
  entries_at=$((14 + hidden_count))
  program_at=$((entries_at + entry_count))
}

# Whoever makes this file first decides: we, that the launch starts, or the runner, that it is taken back.
is_ours_to_start() {
  [ "$queued" = 0 ] || : >"$dir/go.$tag"
}

# ---- what cannot be started ----

fail() {
  error=$1 step=$2
  return 1
}

blame_log() {
  local parent=${1%/*}
  if [ -d "$1" ]; then
    fail "$eisdir" "$2"
  elif [ ! -e "${parent:-/}" ]; then
    fail "$enoent" "$2"
  elif [ ! -d "${parent:-/}" ]; then
    fail "$enotdir" "$2"
  else
    fail "$eacces" "$2"
  fi
}

open_logs() {
  command exec 5>|"$out" || { blame_log "$out" "$step_stdout"; return 1; }
  if [ -z "$err" ]; then
    exec 6>&5
  else
    command exec 6>|"$err" || { blame_log "$err" "$step_stderr"; return 1; }
  fi
}

check_cwd() {
  if [ -z "$cwd" ] || { [ -d "$cwd" ] && [ -x "$cwd" ]; }; then return 0; fi
  if [ ! -e "$cwd" ]; then
    fail "$enoent" "$step_cwd"
  elif [ ! -d "$cwd" ]; then
    fail "$enotdir" "$step_cwd"
  else
    fail "$eacces" "$step_cwd"
  fi
}

check_program() {
  local program=${fields[program_at]}
  case $program in
    /*) ;;
    */*) program=${cwd:-.}/$program ;;
    *)
      [ "$path:$program" = "$found" ] || PATH=$path type -P -- "$program" >/dev/null || fail "$enoent" "$step_exec" || return
      found=$path:$program
      return
      ;;
  esac
  if [ ! -e "$program" ]; then
    fail "$enoent" "$step_exec"
  elif [ -d "$program" ] || [ ! -x "$program" ]; then
    fail "$eacces" "$step_exec"
  fi
}

# ---- records ----

record() {
  local again=
  # On a full disk the job's record waits until there is room.
  until printf '%s%s #%d\n' "$again" "$1" "${#1}"; do
    again=$'\n'
    sleep 1
  done
}

# Wakes the runner, which reads the journal. It also looks by itself as long as a request waits here.
tell() {
  printf . >&9
}

record_start() {
  record "S $id $tag $pid $from $to $started $label"
}

# Arguments: code, signal, errno, step.
record_exit() {
  record "E $id $tag $1 $2 $3 $4 $started $exited $user_ms.000 $system_ms.000 0 $strays $cut"
}

# ---- clocks ----

if [ -n "$EPOCHREALTIME" ]; then
  read_clock() {
    local now=$EPOCHREALTIME
    clock=${now:0:10}${now:11:3}.${now:14}
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

# Splits what /proc tells of a process: `stat` becomes the fields after the name, which stands in brackets and may hold anything.
# From the front, step by step: the longest match costs bash a comparison for every length.
read_stat() {
  read -r stat <"$1" || return
  while [ "$stat" != "${stat#*) }" ]; do stat=${stat#*) }; done
}

# The start time of a process in ticks since boot; fails when it is gone or there is no /proc.
read_start() {
  local stat
  read_stat "/proc/$1/stat" || return
  set -- $stat
  start_ticks=${20}
}

# The time since boot in ticks, of which there are 100 in a second wherever Linux shows them.
read_uptime() {
  local uptime
  read -r uptime _ </proc/uptime || return
  now_ticks=$((10#${uptime/./}))
}

# When $pid started, in ticks since boot: between `from` and `to`; zeros when nobody can tell. A process that had this number before
# is gone, so that only the end matters: the time after the fork is cheaper to read than the process's own. Not so in containers
# that show an uptime of their own, which is seen by our own start.
if read_start $$ && read_uptime && [ "$now_ticks" -ge "$start_ticks" ] && [ "$now_ticks" -le $((start_ticks + 500)) ]; then
  read_window() {
    from=0 to=0
    if read_uptime; then from=1 to=$now_ticks; fi
  }
else
  read_window() {
    from=0 to=0
    if read_start "$pid"; then from=$start_ticks to=$start_ticks; fi
  }
fi

# ---- the job ----

# What follows runs in a subshell, which becomes the program.

# Arguments: the entries. They may bear any small name, so that nothing of ours is read from here on but arguments; what bash holds
# as a list could not be exported.
export_entries() {
  unset -v fields take_bytes
  export "$@"
}

# Arguments: the program and its arguments.
become_by_env() {
  exec env -i -- "${fields[@]:entries_at:entry_count}" "$@" </dev/null >&5 2>&6 5>&- 6>&- 9>&-
}

# Arguments: the variable `_`, which bash forgets after each command unless it stands before it, the program and its arguments.
become_by_export() {
  if [ "$hidden_count" -gt 0 ]; then export -n "${fields[@]:14:hidden_count}"; fi
  export_entries "${fields[@]:entries_at:entry_count}"
  _=$1 exec -- "${@:2}" </dev/null >&5 2>&6 5>&- 6>&- 9>&-
}

become_program() {
  [ -z "$cwd" ] || cd -- "$cwd" || exit 126
  # A millisecond more, and not everywhere: bash 3.2 does not know its own number, and some systems have no such program.
  [ -z "$cpus" ] || [ -z "$BASHPID" ] || taskset -p -c "$cpus" "$BASHPID" >/dev/null
  if [ "$environment_by" = env ]; then
    become_by_env "${fields[@]:program_at}"
  else
    become_by_export "$last_word" "${fields[@]:program_at}"
  fi
}

# Limits the memory of what this shell starts from now on: the runner has put it into a cgroup of its own.
limit_memory() {
  [ -n "$group" ] && [ "$memory_mib" != "$limit_mib" ] || return 0
  limit_mib=$memory_mib
  if [ "$memory_mib" = 0 ]; then echo max; else echo $((memory_mib * 1048576)); fi >|"$group/memory.max"
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
    read_stat "$file" || continue
    set -- $stat
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
  limit_memory
  start
  exec 5>&- 6>&-
  read_window
  record_start
  [ "$queued" = 1 ] || tell
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

launch() {
  name_fields
  is_ours_to_start || return
  pid=0 from=0 to=0 strays=0 cut=0 user_ms=0 system_ms=0 error=0 step=0
  read_clock
  started=$clock exited=$clock
  if open_logs && check_cwd && check_program; then
    run
  else
    exec 5>&- 6>&-
    record_start
    record_exit -1 0 "$error" "$step"
  fi
}

read_usage
found= limit_mib=0
while has_request || tell; take_request; do
  case ${fields[0]} in
    share) export "${fields[@]:1}" ;;
    launch) launch ;;
  esac
done
tell
