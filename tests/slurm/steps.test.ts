import { describe, expect, test } from 'vitest'
import type { ExecutionConfig } from '../../runner/execution-settings.ts'
import type { Exited, Launcher, LauncherEvents, LaunchRequest } from '../../runner/launcher/types.ts'
import { parseStepName, stepName } from '../../runner/slurm/step-name.ts'
import { createSteps } from '../../runner/slurm/steps.ts'
import type { ClaimedJob } from '../../runner/wire.ts'
import { endedOf } from '../job-threads/attempts.ts'

const ENV = { SLURM_JOB_ID: '77', SLURM_JOB_NUM_NODES: '4', SLURM_JOB_NODELIST: 'n[1-4]' }
const SHELL = ['bash', '-c', 'true'] as const

const EXITED: Exited = { tag: 1, code: 0, startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0, strays: 0 }

const jobOf = (needs: Partial<ClaimedJob['resource_requirements']> = {}): ClaimedJob => ({
  id: 17,
  workflow_id: 1,
  name: 'j',
  command: 'true',
  status: 'running',
  attempt_id: 2,
  claim_token: 't',
  claimed_at: 0,
  resource_requirements: { num_cpus: 3, num_gpus: 0, memory_bytes: 2 ** 30 + 1, runtime_seconds: 60, ...needs },
})

const stepsOf = (config: ExecutionConfig = {}, env: NodeJS.ProcessEnv = ENV, killAtMs?: number) =>
  createSteps({ config, env, killAtMs, clock: () => 0 })

const wordsOf = (...[config, needs, killAtMs]: [ExecutionConfig, object?, number?]) =>
  stepsOf(config, ENV, killAtMs)!.argvOf(jobOf(needs), { runId: 5 }, SHELL)

describe('createSteps()', () => {
  test('runs each job of mode slurm as a step with what it asked for', () => {
    expect(wordsOf({ mode: 'slurm' }, { num_gpus: 2 }, 190_000)).toEqual([
      'srun',
      '--job-name=hr_j17_r5_a2',
      '--nodes=1',
      '--ntasks=1',
      '--ntasks-per-node=1',
      '--cpus-per-task=3',
      '--mem=1025M',
      '--gres=gpu:2',
      '--exact',
      '--kill-on-bad-exit=1',
      '--nodelist=n1',
      '--time=3',
      '--cpu-bind=none',
      '--',
      ...SHELL,
    ])
  })

  test('starts one task on each node of a job of several, wherever they are', () => {
    const words = wordsOf({ mode: 'auto' }, { num_nodes: 2 })
    expect(words).toEqual(expect.arrayContaining(['--nodes=2', '--ntasks=2', '--ntasks-per-node=1', '--gres=none']))
    expect(words.filter(word => /--nodelist|--time/.test(word))).toEqual([])
  })

  test('heeds the signal, the binding and the kind of MPI; a job that is nearly over has a minute', () => {
    const config = { mode: 'slurm', srun_termination_signal: 'TERM@30', enable_cpu_bind: true, srun_mpi: 'pmix' }
    const words = wordsOf(config, {}, 1_000)
    expect(words).toEqual(expect.arrayContaining(['--signal=TERM@30', '--mpi=pmix', '--time=1']))
    expect(words).not.toContain('--cpu-bind=none')
  })

  test('leaves commands alone in mode direct, though a job may have all nodes', () => {
    expect(wordsOf({})).toEqual(SHELL)
    expect(wordsOf({ mode: 'direct' })).toEqual(SHELL)
    expect(stepsOf()?.nodes).toBe(4)
  })

  test('is one of many where each node has a runner, and nothing outside of Slurm', () => {
    const steps = stepsOf({ mode: 'slurm' }, { ...ENV, SLURM_STEP_ID: '0', SLURM_NODEID: '2' })
    expect(steps?.nodes).toBe(1)
    expect(steps?.argvOf(jobOf(), { runId: 0 }, SHELL)).toEqual(SHELL)
    expect(stepsOf({ mode: 'slurm' }, {})).toBeUndefined()
  })

  test("does not take srun's memory for the job's, nor hold it against the job", async () => {
    const seen: Exited[] = []
    const launched: LaunchRequest[] = []
    let events: LauncherEvents | undefined
    const inner: Launcher = {
      kind: 'shell',
      launch: request => void launched.push(request),
      signal() {},
      recall: async () => true,
      close: async () => {},
    }
    const open = async (given: LauncherEvents) => {
      events = given
      return inner
    }
    const own: LauncherEvents = { onStarted() {}, onExited: exited => void seen.push(...exited), onLost() {} }
    const launcher = await stepsOf({ mode: 'slurm' })!.launcher(open)(own)
    const job = { id: 17, name: 'j', workflowId: 1, memoryLimitBytes: 5, logPaths: ['j.o'] }
    const request: LaunchRequest = { tag: 1, label: '', argv: SHELL, env: {}, stdout: null, stderr: null, job }
    launcher.launch(request)
    expect(launched).toEqual([{ ...request, job: { ...job, memoryLimitBytes: undefined, runsElsewhere: true } }])
    const exited = { ...EXITED, peakMemoryBytes: 9, measured: { peakMemoryBytes: 9, avgCpuPercent: 1 } }
    events!.onExited([exited])
    expect(seen).toEqual([EXITED])
    expect(await stepsOf({})!.launcher(open)(own)).toBe(inner)
    expect(events).toBe(own)
  })

  test('names the steps that have ended, for which Slurm keeps accounts', () => {
    const steps = stepsOf({ mode: 'slurm' })!
    const ended = (end: Exited, attemptId: number) => ({ ...endedOf(17, { runId: 5, attemptId }), end })
    const first = ended(EXITED, 2)
    expect(steps.endOf(first)).toBe(first)
    const { code, ...times } = EXITED
    steps.endOf(ended({ ...times, error: 'ENOENT' }, 3))
    expect(steps.accounts).toEqual({ allocation: '77', steps: new Set(['hr_j17_r5_a2']) })
    expect(stepsOf({})!.accounts).toBeUndefined()
  })
})

test('parseStepName() reads what stepName() makes, and nothing else', () => {
  const attempt = { jobId: 17, runId: 0, attemptId: 3 }
  expect(parseStepName(stepName(attempt))).toEqual(attempt)
  expect(parseStepName('batch')).toBeUndefined()
  expect(parseStepName('hr_j1_r2_a3_x')).toBeUndefined()
})
