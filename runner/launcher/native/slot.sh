# One slot of the stand-in launcher: a resident bash that starts one job after the other (runner/launcher/slot.ts feeds it).
# Arguments: the launcher's id, the journal, the launcher's scratch directory, the slot's number, the slot's cgroup or nothing.
# Requests come on standard input as runner/launcher/slot-request.ts writes them: a length, then texts that each end in a byte which
# no text has, so that nothing in them is ever read as shell. Records go to the journal, which is standard output; a byte to the runner
# (9) tells it to read them. Runs on bash 3.2 too.
# Capital names are the jobs' environment, which this shell exports for them; its own names are small.
# Bash copies the text of a function each time it is called, which would cost a slot half as many instructions again: what is done for
# each job stands in the loop at the end, and only what is rare has functions.

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

# Options of `read` that take a number of bytes, whatever they are. Bash 3.2 has no -N; no request has a NUL, which ends its -n. It
# cannot tell either whether a request is there to be taken at once.
take_bytes=(-N) can_look=1
if [ "${BASH_VERSINFO[0]}" -lt 4 ] || [ "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}" = 4.0 ]; then
  take_bytes=(-d '' -n) can_look=
fi
text_end=$'\xfe' white=$' \t\n'

# ---- what cannot be started ----

# Arguments: errno, step. The first that fails counts.
fail() {
  if [ "$step" = 0 ]; then error=$1 step=$2; fi
}

# Arguments: the path of the log, the step.
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

check_cwd() {
  if [ ! -e "$cwd" ]; then
    fail "$enoent" "$step_cwd"
  elif [ ! -d "$cwd" ]; then
    fail "$enotdir" "$step_cwd"
  elif [ ! -x "$cwd" ]; then
    fail "$eacces" "$step_cwd"
  fi
}

check_program() {
  local program=${fields[program_at]}
  case $program in
    /*) ;;
    */*) program=${cwd:-.}/$program ;;
    *)
      if [ "$path:$program" = "$found" ]; then return; fi
      if PATH=$path type -P -- "$program" >/dev/null; then found=$path:$program; else fail "$enoent" "$step_exec"; fi
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

# On a full disk a record waits until there is room.
record_again() {
  until sleep 1; printf '\n%s #%d\n' "$line" "${#line}"; do :; done
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

# When a job started, in ticks since boot, of which there are 100 in a second wherever Linux shows them: between `from` and `to`; zeros
# when nobody can tell. A process that had the number before is gone, so that only the end matters: the time after the fork is cheaper
# to read than the process's own. Not so in containers that show an uptime of their own, which is seen by our own start.
by_uptime=
if read_start $$ && read -r uptime _ </proc/uptime; then
  now_ticks=$((10#${uptime/./}))
  if [ "$now_ticks" -ge "$start_ticks" ] && [ "$now_ticks" -le $((start_ticks + 500)) ]; then by_uptime=1; fi
fi

# ---- what jobs have in common ----

# Takes what holds for all launches that follow; what is not usual has to be done by become_specially().
settle() {
  cwd=${fields[1]} path=${fields[2]} logs=${fields[3]} last_word=${fields[4]} by=${fields[5]} cpus=${fields[6]} memory_mib=${fields[7]}
  hidden=("${fields[@]:8}")
  special=
  if [ "$by" = env ] || [ -n "$cpus" ] || [ "${#hidden[@]}" -gt 0 ]; then special=1; fi
  # Limits the memory of what this shell starts from now on: the runner has put it into a cgroup of its own.
  if [ -n "$group" ] && [ "$memory_mib" != "$limit_mib" ]; then
    limit_mib=$memory_mib
    if [ "$memory_mib" = 0 ]; then echo max; else echo $((memory_mib * 1048576)); fi >|"$group/memory.max"
  fi
}

# In the subshell that becomes the program: what few jobs need. Does not return where `env` makes the environment.
become_specially() {
  local pwd=$PWD oldpwd=$OLDPWD
  if [ -n "$cwd" ]; then
    cd -- "$cwd" || exit 126
    PWD=$pwd OLDPWD=$oldpwd
  fi
  # A millisecond more, and not everywhere: bash 3.2 does not know its own number, and some systems have no such program.
  [ -z "$cpus" ] || [ -z "$BASHPID" ] || taskset -p -c "$cpus" "$BASHPID" >/dev/null
  if [ "$by" = env ]; then exec env -i -- "${fields[@]:7}" </dev/null >&5 2>&6 5>&- 6>&- 9>&-; fi
  [ "${#hidden[@]}" = 0 ] || export -n "${hidden[@]}"
}

# ---- the end of a job ----

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

# ---- the jobs, one after the other ----

found= limit_mib=0 hidden=() all_user_ms=0 all_system_ms=0
while [[ $can_look ]] && read -r -t 0 || printf . >&9
  IFS= read -r "${take_bytes[@]}" 8 length && IFS= read -r "${take_bytes[@]}" "$((length))" request
do
  IFS=$text_end
  fields=($request)
  IFS=$white
  case ${fields[0]} in
    share) export "${fields[@]:1}" ;;
    common) settle ;;
  esac
  [[ ${fields[0]} = launch ]] || continue
  # Behind these stand the entries of the job's environment, and its program with the arguments.
  tag=${fields[1]} queued=${fields[2]} label=${fields[3]} out=$logs${fields[4]} err=${fields[5]} program_at=${fields[6]}

  # Whoever makes this file first decides: we, that the launch starts, or the runner, that it is taken back.
  [[ $queued = 0 ]] || : >"$dir/go.$tag" || continue

  now=${EPOCHREALTIME:-$(date +%s).000000}
  started=${now:0:10}${now:11:3}.${now:14}
  pid=0 from=0 to=0 code=-1 signal=0 error=0 step=0 strays=0 cut=0

  command exec 5>|"$out" || blame_log "$out" "$step_stdout"
  if [[ -z $err ]]; then
    exec 6>&5
  else
    command exec 6>|"$logs$err" || blame_log "$logs$err" "$step_stderr"
  fi
  [[ -z $cwd || . -ef $cwd ]] || check_cwd
  program=${fields[program_at]}
  [[ $program = /* && -x $program && ! -d $program ]] || check_program

  if [[ $step = 0 ]]; then
    # Job control is on for the moment of the fork only: it gives the job a group of its own. With it on, `wait` would also
    # return for a job that was merely stopped.
    set -m
    {
      [[ -z $special && ( -z $cwd || . -ef $cwd ) ]] || become_specially
      # The entries may bear any small name but that of a list of ours, so that nothing is read after them but arguments. Bash forgets
      # the variable `_` after each command unless it stands before it.
      set -- "$last_word" "${fields[@]:program_at}"
      export "${fields[@]:7:program_at - 7}"
      _=$1 exec -- "${@:2}" </dev/null >&5 2>&6 5>&- 6>&- 9>&-
    } &
    pid=$!
    set +m
    exec 5>&- 6>&-

    if [[ $by_uptime ]]; then
      read -r uptime _ </proc/uptime && from=1 to=$((10#${uptime/./}))
    elif read_start "$pid"; then
      from=$start_ticks to=$start_ticks
    fi
  else
    exec 5>&- 6>&-
  fi
  line="S $id $tag $pid $from $to $started $label"
  printf '%s #%d\n' "$line" "${#line}" || record_again

  if [[ $pid = 0 ]]; then
    exited=$started user_ms=0 system_ms=0
  else
    # The runner also looks by itself as long as a request waits here.
    [[ $queued = 1 ]] || printf . >&9
    wait "$pid"
    code=$?
    now=${EPOCHREALTIME:-$(date +%s).000000}
    exited=${now:0:10}${now:11:3}.${now:14}
    # A shell cannot tell `exit 137` from a KILL: both are taken for the signal, as shells do.
    if [[ $code -gt 128 && $code -le 192 ]]; then
      signal=$((code - 128)) code=-1
      if [[ $signal = 9 && -e $dir/cut ]]; then cut=1; fi
    fi
    if kill -s 0 -- "-$pid"; then end_group; fi

    # The user and system time of all children that have been waited for, as 1m2.345s: a job's is the difference. The file is written
    # over rather than truncated: truncating makes ext4 write it out, a millisecond each time.
    times 1<>"$times_file"
    { read -r _; IFS='ms. ' read -r um us uf sm ss sf; } <"$times_file"
    user_ms=$all_user_ms system_ms=$all_system_ms
    all_user_ms=$((um * 60000 + us * 1000 + 10#$uf)) all_system_ms=$((sm * 60000 + ss * 1000 + 10#$sf))
    user_ms=$((all_user_ms - user_ms)) system_ms=$((all_system_ms - system_ms))
  fi
  line="E $id $tag $code $signal $error $step $started $exited $user_ms.000 $system_ms.000 0 $strays $cut"
  printf '%s #%d\n' "$line" "${#line}" || record_again
done
printf . >&9
