# The stand-in launcher's watchdog: when the runner is gone it ends the slots and all their jobs.
# Arguments: the launcher's id, the journal, the launcher's scratch directory. On standard input: `slot PID` for each slot, `close` when the work is over; the
# input's end without `close` means that the runner has died.

id=$1
journal=$2
scratch=$3
slots=()
running=()

while read -r word pid; do
  case $word in
    slot) slots+=("$pid") ;;
    close) exit 0 ;;
  esac
done

# The slots first, so that nothing new starts; what they can no longer record is found by the next start.
for pid in "${slots[@]}"; do
  kill -s KILL "$pid"
done

while read -r kind launcher tag pid _; do
  if [ "$launcher" = "$id" ]; then
    case $kind in
      S) running[$tag]=$pid ;;
      E) unset "running[$tag]" ;;
    esac
  fi
done <"$journal"
for pid in "${running[@]}"; do
  # 0: could not be started.
  [ "$pid" = 0 ] || kill -s KILL -- "-$pid"
done

rm -rf "$scratch"

# What left its group, or was not recorded yet, bears the mark. A process between two programs shows none: look until
# three looks in a row found nothing.
[ -e /proc/self/environ ] || exit 0
quiet=0
while [ "$quiet" -lt 3 ]; do
  quiet=$((quiet + 1))
  for file in $(grep -ls "HEADRACE_LAUNCH=.*$id\." /proc/[0-9]*/environ); do
    pid=${file#/proc/}
    kill -s KILL "${pid%/environ}" && quiet=0
  done
  sleep 0.05
done
