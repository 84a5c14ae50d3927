import { shellWord } from '../schedulers/script.ts'

/**
 * The scripts that run on workers, for any POSIX shell. Each prints `key=value` lines, the last of which has the state:
 *
 * - `none`: no runner was ever started there for this workflow
 * - `running`: `pid` is its process
 * - `ended`: `code` is how, if it ended by itself
 */

/** What a started runner leaves in its folder: pid and birth of the process, its exit code, what it printed. */
const LIBRARY = `
# A pid may be another process by now; together with the moment of its birth it is not.
birth() {
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
  else ps -o lstart= -p "$1" 2>/dev/null
  fi
}
lives() {
  [ -f "$dir/runner.pid" ] || return 1
  { read -r pid; read -r born; } <"$dir/runner.pid"
  [ -n "$pid" ] && [ -n "$born" ] && [ "$(birth "$pid")" = "$born" ] || return 1
  case "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null)" in Z*) return 1 ;; esac
}
state() {
  if lives; then echo "pid=$pid"; echo state=running; return; fi
  if [ ! -f "$dir/runner.pid" ]; then echo state=none; return; fi
  [ -f "$dir/runner.exit" ] && echo "code=$(cat "$dir/runner.exit")"
  [ -f "$dir/runner.log" ] && echo "last=$(tail -n 1 "$dir/runner.log" | cut -c1-300)"
  echo state=ended
}
`

/** A path of the worker: below the home directory unless it is absolute. */
const setDirectory = (directory: string): string =>
  directory.startsWith('/') ? `dir=${shellWord(directory)}\n` : `dir="$HOME"/${shellWord(directory)}\n`

export type StartWords = {
  directory: string
  /** Where jobs start; the folder of the runner unless given. */
  cwd: string | undefined
  /** The program that runs there, as a line of shell; undefined: the one that runs here if it is there, else `runner` on PATH. */
  program: string | undefined
  ownProgram: readonly [node: string, script: string]
  /** After the program: `run 3 --url …`. */
  words: readonly string[]
  /** Secrets: only the runner's environment has them. */
  environment: Readonly<Record<string, string>>
}

/** Starts a runner that outlives the connection, unless one lives; the state it prints is that after the start. */
export function startScript({ directory, cwd, program, ownProgram, words, environment }: StartWords): string {
  const [node, script] = ownProgram
  const own = `${shellWord(node)} ${shellWord(script)}`
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`)
  const found =
    program === undefined
      ? `if [ -x ${shellWord(node)} ] && [ -r ${shellWord(script)} ]; then set -- ${own}
elif command -v runner >/dev/null; then set -- runner
else echo "message=no runner is there: --runner names it"; echo state=failed; exit 0
fi`
      : `set -- ${program}`
  return `${setDirectory(directory)}${LIBRARY}
(umask 077; mkdir -p "$dir/output") || { echo "message=cannot make $dir"; echo state=failed; exit 0; }
cd "$dir"
# Two starts at once must not make two runners.
if ! mkdir "$dir/starting" 2>/dev/null; then
  if [ -n "$(find "$dir/starting" -maxdepth 0 -mmin +1)" ]; then rmdir "$dir/starting"; mkdir "$dir/starting" || exit 1
  else echo "message=another start is under way"; echo state=failed; exit 0
  fi
fi
if lives; then rmdir "$dir/starting"; echo "message=it runs already"; state; exit 0; fi
# Of a start that was cut off there may be the pid of a process that is long gone.
rm -f "$dir/runner.exit" "$dir/runner.pid" "$dir/runner.new"
${found}
set -- "$@" ${words.map(shellWord).join(' ')} --output-dir "$dir/output"
${exports.join('\n')}
detach=$(command -v setsid || echo nohup)
${cwd === undefined ? '' : `cd ${shellWord(cwd)} || { rmdir "$dir/starting"; echo "message=no such directory there: ${cwd.replace(/[^\w./-]/g, '?')}"; echo state=failed; exit 0; }`}
"$detach" sh -c '
  dir=$1; shift
  "$@" </dev/null >"$dir/runner.log" 2>&1 &
  pid=$!
  printf "%s" "$pid" >"$dir/runner.new"
  wait "$pid"
  echo $? >"$dir/runner.exit"
' sh "$dir" "$@" </dev/null >/dev/null 2>&1 &
tries=0
while [ ! -s "$dir/runner.new" ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
pid=$(cat "$dir/runner.new")
rm -f "$dir/runner.new"
{ echo "$pid"; birth "$pid"; } >"$dir/runner.pid"
# A program that cannot run ends at once: better told now than found later.
sleep 0.5
rmdir "$dir/starting"
state
`
}

export const statusScript = (directory: string): string => `${setDirectory(directory)}${LIBRARY}\nstate\n`

/** Asks a runner to end, and waits for it. */
export const stopScript = (directory: string, signal: 'TERM' | 'INT', waitSeconds: number): string =>
  `${setDirectory(directory)}${LIBRARY}
if lives; then
  kill -${signal} "$pid"
  tries=0
  while lives && [ $tries -lt ${Math.ceil(waitSeconds * 5)} ]; do tries=$((tries + 1)); sleep 0.2; done
fi
state
`

/** The folder of outputs as a word of shell on the worker. */
export const folderWord = (directory: string): string =>
  directory.startsWith('/') ? shellWord(directory) : `"$HOME"/${shellWord(directory)}`

/** Reads what a script printed; a value may hold anything but a line's end. */
export function readLines(stdout: string): Record<string, string> {
  const pairs = stdout
    .split('\n')
    .map(line => /^(pid|code|last|message|state)=(.*)$/.exec(line))
    .flatMap(found => (found === null ? [] : [[found[1]!, found[2]!] as const]))
  return Object.fromEntries(pairs)
}
