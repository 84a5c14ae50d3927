import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = new URL('.', import.meta.url).pathname
const PROGRAMS = {
  pbs: ['qsub', 'qstat', 'qdel', 'qalter', 'qhold', 'qrls'],
  torque: ['qsub', 'qstat', 'qdel', 'qalter', 'qhold', 'qrls'],
  htcondor: ['condor_submit', 'condor_q', 'condor_rm', 'condor_hold', 'condor_release', 'condor_history'],
}

/** An imitation of a batch scheduler: client programs on a PATH, with a state of their own. */
export type FakeScheduler = {
  env: NodeJS.ProcessEnv
  /** What goes wrong from now on: see the heads of pbs.mjs and htcondor.mjs. undefined = nothing. */
  fault(name: string | undefined): void
  /** Puts its clock forward. */
  forward(seconds: number): void
  /** Its own record of everything that was submitted. */
  jobs(): { name: string; number: number; elements: { state: string; pid?: number; starts?: number }[] }[]
  /** Ends what it runs and forgets everything. */
  close(): void
}

/** Starts nothing: the programs find what they need through FAKE_SCHEDULER_STATE. */
export function startFake(kind: keyof typeof PROGRAMS): FakeScheduler {
  const directory = mkdtempSync(join(tmpdir(), `hr-${kind}-`))
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const script = join(HERE, kind === 'htcondor' ? 'htcondor.mjs' : 'pbs.mjs')
  for (const name of PROGRAMS[kind]) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${script}' ${name} "$@"\n`)
    chmodSync(join(bin, name), 0o755)
  }
  let forwardMs = 0
  function jobs(): ReturnType<FakeScheduler['jobs']> {
    try {
      return JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')).jobs
    } catch {
      return []
    }
  }
  return {
    env: {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      FAKE_SCHEDULER_STATE: directory,
      FAKE_PBS: kind === 'torque' ? 'torque' : 'pbs',
    },
    fault: name => writeFileSync(join(directory, 'fault'), name ?? ''),
    forward(seconds) {
      forwardMs += seconds * 1000
      writeFileSync(join(directory, 'clock'), String(forwardMs))
    },
    jobs,
    close() {
      for (const { elements } of jobs()) for (const { pid } of elements) if (pid !== undefined) endGroup(pid)
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
