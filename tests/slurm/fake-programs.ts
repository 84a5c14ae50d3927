import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordingOf } from './recorded.ts'

/** Programs called as Slurm's on a PATH of their own, which keep a queue in files and run nothing. */
export type FakePrograms = {
  /** With this PATH they are found. */
  env: NodeJS.ProcessEnv
  /** Names in the queue, by id. */
  queue(): Record<string, string>
  /** Takes an allocation out of the queue. */
  end(id: number): void
  /** What a program says from now on in place of its own: `sbatch` refuses with these words. */
  refuse(program: string, words: string): void
  allow(program: string): void
  close(): void
}

/** In each script $S is the directory of the state; a file `refuse.NAME` there makes the program fail with its text. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sbatch: `
    for last; do :; done
    case " $* " in *" --test-only "*) echo "sbatch: Job 9 to start at 2030-01-01T00:00:00 using 8 processors" >&2; exit 0;; esac
    test "$1" = --parsable || { echo "unknown option $1" >&2; exit 1; }
    id=$(( $(cat "$S/next" 2>/dev/null || echo 100) )); echo $((id + 1)) > "$S/next"
    sed -n 's/^#SBATCH --job-name=//p' "$last" > "$S/job.$id"
    echo $id`,
  squeue: `
    for job in "$S"/job.*; do
      test -e "$job" || continue
      id=\${job##*.}
      echo "$id|N/A|$id|PENDING|Resources|1:00:00||$(cat "$job")"
    done`,
  scancel: `
    for last; do :; done
    rm -f "$S/job.$last"`,
  sinfo: `
    case "$*" in
      *'%R|%l'*) echo 'debug|1:00:00';;
      *) echo 'debug|up|1:00:00|2|8|8000|gpu:2';;
    esac`,
  scontrol: `
    case "$*" in
      *partition*) echo 'PartitionName=debug Default=YES MaxNodes=2 OverSubscribe=NO State=UP';;
      *config*) echo 'ClusterName             = hill';;
    esac`,
  sacct: `cat "$S/sacct"`,
  sstat: `exit 0`,
}

export function openFakePrograms(): FakePrograms {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-fake-slurm-'))
  const [bin, state] = [join(directory, 'bin'), join(directory, 'state')]
  mkdirSync(bin)
  mkdirSync(state)
  for (const [name, text] of Object.entries(PROGRAMS)) {
    const refusal = `if test -e "$S/refuse.${name}"; then cat "$S/refuse.${name}" >&2; exit 1; fi`
    writeFileSync(join(bin, name), `#!/bin/sh\nS='${state}'\n${refusal}\n${text}\n`, { mode: 0o755 })
  }
  writeFileSync(join(state, 'sacct'), recordingOf('steps').stdout)
  return {
    env: { PATH: `${bin}:${process.env.PATH}` },
    queue() {
      const listed = readdirSync(state).filter(name => name.startsWith('job.'))
      return Object.fromEntries(listed.map(name => [name.slice(4), readFileSync(join(state, name), 'utf8').trim()]))
    },
    end: id => rmSync(join(state, `job.${id}`)),
    refuse: (program, words) => writeFileSync(join(state, `refuse.${program}`), `${words}\n`),
    allow: program => rmSync(join(state, `refuse.${program}`)),
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
