# Shared by the scripts beside it, which read it with `.`: where the server is, and how to ask it. Needs curl and jq.
#
#   HEADRACE_API_URL   the server's address, as it prints it (default http://127.0.0.1:8080)
#   HEADRACE_TOKEN     its token, where one is needed

base=${HEADRACE_API_URL:-http://127.0.0.1:8080}
case ${base#*://} in
  */*) ;;
  *) base=$base/v1 ;;
esac
newline='
'

# credentials: prints what curl reads with `--config -`. The token goes that way since others can read a command line.
credentials() {
  if [ -n "${HEADRACE_TOKEN:-}" ]; then printf 'header = "Authorization: Bearer %s"\n' "$HEADRACE_TOKEN"; fi
}

# api METHOD PATH [OPTION OF CURL...]: prints the reply. A refusal goes to standard error in the server's words, and fails.
api() {
  method=$1
  path=$2
  shift 2
  reply=$(credentials | curl --silent --show-error --config - --request "$method" \
    --write-out '\n%{http_code}' "$@" "$base$path")
  body=${reply%"$newline"*}
  case ${reply##*"$newline"} in
    2*) printf '%s\n' "$body" ;;
    *)
      printf '%s\n' "$body" | jq -r '.error.message' >&2
      return 1
      ;;
  esac
}

# send METHOD PATH JSON: the same with a body.
send() {
  api "$1" "$2" --header 'content-type: application/json' --data-binary "$3"
}

# pick FILTER COMMAND...: prints what jq picks out of the command's JSON; fails when the command does, as a pipe would not.
pick() {
  filter=$1
  shift
  json=$("$@") || return 1
  printf '%s\n' "$json" | jq -r "$filter"
}

# usage: prints the head of the script, the comment below its first line, and ends it.
usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
