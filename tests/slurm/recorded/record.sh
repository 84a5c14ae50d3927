#!/usr/bin/env bash
# record.sh DIR: runs jobs on a Slurm that keeps accounts (SLURM_CONF names it, see README.md) and writes to DIR what sacct and sstat say
# of them, asked as runner/slurm/usage.ts asks. Needs two nodes, n1 and n2, of 8 CPUs each, as tests/hpc/slurm-up makes them. Takes two minutes.
set -euo pipefail
export LC_ALL=C
to=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SACCT=JobIDRaw,JobName,State,ElapsedRaw,NNodes,AllocCPUS,TotalCPU,AveCPU,MaxRSS,MaxVMSize,MaxDiskRead,MaxDiskWrite,NodeList
SSTAT=JobID,AveCPU,MaxRSS,MaxVMSize,MaxDiskRead,MaxDiskWrite

cat >"$work/record.sh" <<'SH'
record() { # record NAME COMMAND...: what it prints and how it ends, to the letter
  local name=$1 status=0
  shift
  mkdir -p "$to/$name"
  "$@" >"$to/$name/stdout" 2>"$to/$name/stderr" </dev/null || status=$?
  echo "$*" >"$to/$name/command"
  echo "$status" >"$to/$name/status"
}
SH
. "$work/record.sh"
submit() { sbatch --parsable --output="$work/%j.out" "$@"; }
until_state() { # until_state STATE ID...: waits for the accounts of allocations to say so
  local state=$1 id i
  shift
  for id in "$@"; do
    for ((i = 0; i < 600; i++)); do
      [[ $(sacct -X -P -n -j "$id" -o State | sort -u) == "$state"* ]] && continue 2
      sleep 0.2
    done
    echo "job $id never became $state" >&2
    exit 1
  done
}

# What jobs do, as programs that need no more than Python.
cat >"$work/hold.py" <<'PY'
import sys, time
held = bytearray(int(sys.argv[1]) * 2**20)
for at in range(0, len(held), 4096):
    held[at] = 1
ends = time.monotonic() + float(sys.argv[2])
while time.monotonic() < ends:
    if sys.argv[3:] == ['busy']:
        continue
    time.sleep(0.1)
PY
# A step as runner/slurm/steps.ts starts it: step NAME NODES MIB COMMAND... What it says goes to the recording that RECORDED names, if any.
cat >"$work/step.sh" <<'SH'
step() {
  local name=$1 nodes=$2 mib=$3
  shift 3
  ${RECORDED:+record "$RECORDED"} srun --job-name="$name" --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --cpus-per-task=1 --mem="${mib}M" --gres=none --exact \
    --kill-on-bad-exit=1 --cpu-bind=none -- "$@"
}
SH
script() { printf '#!/bin/bash\n. %s/step.sh\ncd %s\n%s\n' "$work" "$work" "$1" >"$work/$2"; }

script 'step hr_j1_r0_a1 1 400 python3 hold.py 150 4 busy &
step hr_j2_r0_a1 2 200 python3 hold.py 40 3 &
step hr_j3_r0_a1 1 100 sh -c "head -c 30M /dev/zero >written; sleep 3; exit 7" &
step hr_j4_r0_a1 1 100 sh -c "sleep 3; kill -9 \$\$" &
step hr_j5_r0_a1 1 100 python3 hold.py 300 60 &
step hr_j6_r0_a1 1 100 sleep 60 &
sleep 3; scancel "$SLURM_JOB_ID.$(squeue -h -s -j "$SLURM_JOB_ID" -o "%i %j" | sed -n "s/.*\.\(.*\) hr_j6_.*/\1/p")"
wait
step hr_j5_r0_a2 1 500 true' steps.sh
script 'step hr_j7_r0_a1 1 1500 python3 hold.py 1300 300 busy &
step hr_j8_r0_a3 2 100 sleep 300 &
wait' running.sh
script 'step "hr_j9_r0_a$((${SLURM_RESTART_COUNT:-0} + 1))" 1 200 python3 hold.py "$((60 + 40 * ${SLURM_RESTART_COUNT:-0}))" "$((${SLURM_RESTART_COUNT:-0} ? 3 : 300))"' again.sh
script ". $work/record.sh; to=$to"'
RECORDED=srun-code step hr_j10_r0_a1 1 100 sh -c "exit 137"
RECORDED=srun-signal step hr_j11_r0_a1 1 100 sh -c "kill -11 \$\$"
RECORDED=srun-memory step hr_j12_r0_a1 1 100 python3 hold.py 300 60
RECORDED=srun-memory-of-child step hr_j13_r0_a1 1 100 sh -c "python3 hold.py 300 60; exit 0"
RECORDED=srun-nodes step hr_j14_r0_a1 2 100 sh -c "kill -9 \$\$"
RECORDED=srun-code-of-one step hr_j15_r0_a1 2 100 sh -c "[ \$SLURM_PROCID = 0 ] && { sleep 1; exit 3; }; exec sleep 60"
RECORDED=srun-signal-of-one step hr_j16_r0_a1 2 100 sh -c "[ \$SLURM_PROCID = 0 ] && { sleep 1; kill -11 \$\$; }; exec sleep 60"' words.sh
script 'exit 3' fails.sh
script 'sleep 300' sleeps.sh

steps=$(submit -J hr-00000001 -N2 --ntasks-per-node=1 -c4 --mem=1500M -t 5 "$work/steps.sh")
timeout=$(submit -J hr-00000002 -n1 -c1 --mem=100M -t 1 "$work/sleeps.sh")
failed=$(submit -J 'night|of the 1st' -n1 -c1 --mem=100M -t 5 "$work/fails.sh")
array=$(submit -J hr-00000003 -a 1-2 -n1 -c1 --mem=100M -t 5 "$work/fails.sh")
canceled=$(submit -J hr-00000004 -n1 -c1 --mem=100M -t 5 "$work/sleeps.sh")
waiting=$(submit -J hr-00000005 -H -n1 -c1 --mem=100M -t 5 "$work/sleeps.sh")
words=$(submit -N2 --ntasks-per-node=1 -c2 --mem=500M -t 5 "$work/words.sh")
until_state RUNNING "$canceled"
scancel "$canceled" "$waiting"
until_state COMPLETED "$steps" "$words"
record steps sacct -D -P -n -j "$steps" -o $SACCT

running=$(submit -J hr-00000006 -N2 --ntasks-per-node=1 -c4 --mem=2000M -t 5 "$work/running.sh")
held=$(submit -J hr-00000007 -H -n1 -c1 --mem=100M -t 5 "$work/sleeps.sh")
again=$(submit -J hr-00000008 -n1 -c1 --mem=500M -t 5 --requeue "$work/again.sh")
until_state RUNNING "$running" "$again"
sleep 6
record running-sacct sacct -D -P -n -j "$running,$held" -o $SACCT
record running-sstat sstat -a -P -n -j "$running" -o $SSTAT
scancel "$running" "$held"
scontrol requeue "$again"
until_state PENDING "$again"
record requeued-waits sacct -D -P -n -j "$again" -o $SACCT
until_state COMPLETED "$again"
record requeued sacct -D -P -n -j "$again" -o $SACCT

until_state TIMEOUT "$timeout"
preempted=$(submit -J hr-00000010 -p preempt -N2 --exclusive --no-requeue --mem=100M -t 5 "$work/sleeps.sh")
until_state RUNNING "$preempted"
urgent=$(submit -J hr-00000011 -p debug -N2 --exclusive --mem=100M -t 5 "$work/fails.sh")
until_state FAILED "$urgent"
lost=$(submit -J hr-00000009 -w n2 --no-requeue -n1 -c1 --mem=100M -t 5 "$work/sleeps.sh")
until_state RUNNING "$lost"
kill -9 "$(cat "$(dirname "$SLURM_CONF")/run/slurmd-n2.pid")"
until_state NODE_FAIL "$lost"
record ended sacct -D -P -n -j "$timeout,$failed,$array,$canceled,$waiting,$preempted,$lost" -o $SACCT
record ended-sstat sstat -a -P -n -j "$steps" -o $SSTAT
record unknown sacct -D -P -n -j 999999 -o $SACCT

# The same programs with settings under which there is nobody to ask, and none who keeps accounts.
elsewhere() { # elsewhere SETTING: the settings with one changed
  grep -v "^${1%%=*}=" "$SLURM_CONF"
  echo "$1"
}
elsewhere AccountingStoragePort=1 >"$work/away.conf"
elsewhere AccountingStorageType=accounting_storage/none >"$work/none.conf"
SLURM_CONF=$work/away.conf record away sacct -D -P -n -j "$steps" -o $SACCT
SLURM_CONF=$work/none.conf record no-accounts sacct -D -P -n -j "$steps" -o $SACCT
