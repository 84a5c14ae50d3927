import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, readProcess } from '../../runner/launcher/processes.ts'
import { cleanEnvironment } from '../../runner/schedulers/clean-environment.ts'
import { createCommandRunner } from '../../runner/schedulers/command.ts'

const run = createCommandRunner(process.env)
const shell = (script: string, timeoutMs = 20_000) => run(['bash', '-c', script], { timeoutMs })

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hr-command-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('createCommandRunner()', () => {
  it('hands over words as they are, gives nothing to read, and speaks C', async () => {
    const words = ['$(id)', 'a b', '*', '']
    expect(await run(['printf', '%s|', ...words], { timeoutMs: 20_000 })).toMatchObject({
      stdout: `${words.join('|')}|`,
    })
    expect(await shell('cat; echo "$LC_ALL"; echo no >&2; exit 3')).toEqual({
      kind: 'exited',
      code: 3,
      stdout: 'C\n',
      stderr: 'no\n',
    })
  })

  it('ends the whole group of a client that does not answer, its children too', async () => {
    const pid = join(directory, 'pid')
    const result = await shell(`echo early; sleep 60 & echo $! >${pid}; wait`, 500)
    expect(result).toMatchObject({ kind: 'broken', stdout: 'early\n' })
    expect(result.kind === 'broken' && result.message).toMatch(/gave no answer within 0\.5 s$/)
    expect(isAlive(readProcess(Number(readFileSync(pid, 'utf8'))))).toBe(false)
  })

  it('does not wait for a child that holds the output when the client has ended', async () => {
    const result = await shell('echo here; sleep 30 & disown; exit 0', 25_000)
    expect(result).toMatchObject({ kind: 'exited', code: 0, stdout: 'here\n' })
  })

  it('tells a program that is not there from one that was killed', async () => {
    expect(await run(['no-such-client'], { timeoutMs: 1000 })).toEqual({
      kind: 'missing',
      message: 'Cannot run no-such-client as it is not on PATH',
    })
    expect(await shell('kill -9 $$')).toMatchObject({ kind: 'broken', message: expect.stringContaining('SIGKILL') })
  })

  it('has a limit for what a client prints', async () => {
    writeFileSync(join(directory, 'loop'), 'while :; do printf "%1048576s"; done')
    const result = await run(['bash', join(directory, 'loop')], { timeoutMs: 20_000 })
    expect(result).toMatchObject({ kind: 'broken', message: expect.stringContaining('printed more than') })
  })
})

describe('cleanEnvironment()', () => {
  it('drops what is left over from an outer job, keeps which cluster is meant, and hands over no credentials', () => {
    const kept = {
      PATH: '/bin',
      SLURM_CONF: '/etc/slurm.conf',
      PBS_SERVER: 'srv',
      PBS_CONF_FILE: '/etc/pbs.conf',
      SGE_ROOT: '/sge',
    }
    const dropped = {
      SLURM_MEM_PER_NODE: '123',
      SBATCH_PARTITION: 'x',
      SQUEUE_FORMAT: '%i',
      SALLOC_X: '',
      SCANCEL_X: '',
      PBS_JOBID: '1.srv',
      QSTAT_X: '',
      'BASH_FUNC_module%%': '() { :; }',
      HEADRACE_TOKEN: 'secret',
      HEADRACE_ALLOCATION_NAME: 'hr-0123abcd',
      HEADRACE_WORKER: '3',
      TORC_PASSWORD: 'secret',
    }
    expect(cleanEnvironment({ ...kept, ...dropped })).toEqual({ ...kept, LC_ALL: 'C' })
  })
})
