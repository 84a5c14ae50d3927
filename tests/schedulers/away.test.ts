import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { CommandResult } from '../../runner/schedulers/command.ts'
import { createHtcondor } from '../../runner/schedulers/htcondor.ts'
import { createPbs } from '../../runner/schedulers/pbs.ts'
import type { SchedulerRuntime } from '../../runner/schedulers/runtime.ts'
import { createSge } from '../../runner/schedulers/sge.ts'
import { createSlurm } from '../../runner/schedulers/slurm.ts'
import type { Scheduler } from '../../runner/schedulers/types.ts'
import { verdictOf } from '../../runner/schedulers/verdict.ts'
import { broken, exited, missing, recorded } from './recorded.ts'

type Create = (runtime: SchedulerRuntime) => Scheduler
const pbs: Create = runtime => createPbs(runtime, 'pbs')
const torque: Create = runtime => createPbs(runtime, 'torque')

/** What clients of every scheduler do when it is away, misled or out of its mind (hpc.md 2.5). */
const SILENT: [string, Create, string, CommandResult][] = [
  [
    'Slurm, controller dead',
    createSlurm,
    '7',
    exited(1, '', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)'),
  ],
  [
    'Slurm, controller frozen',
    createSlurm,
    '7',
    exited(1, '', 'slurm_load_jobs error: Socket timed out on send/recv operation'),
  ],
  [
    'Slurm, wrong configuration',
    createSlurm,
    '7',
    exited(1, '', 'squeue: fatal: Unable to process configuration file'),
  ],
  ['Slurm, an error among the rows', createSlurm, '7', exited(0, '9|N/A|9|RUNNING|None|1:00|n1|x\nsqueue: error\n')],
  ['Slurm, a row that was cut off', createSlurm, '7', exited(0, '9|N/A|9|RUN')],
  ['Slurm, a code without a word', createSlurm, '7', exited(8)],
  [
    'Grid Engine, master dead',
    createSge,
    '7',
    exited(
      1,
      '',
      'error: commlib error: got select error (Connection refused)\nerror: unable to send message to qmaster using port 6444 on host "h": got send error',
    ),
  ],
  [
    'Grid Engine, master dead but a success',
    createSge,
    '7',
    exited(0, '<?xml version=\'1.0\'?>\n<comunication_error xmlns:xsd="x"></comunication_error>'),
  ],
  ['Grid Engine, nothing printed', createSge, '7', exited(0, '')],
  ['Grid Engine, cut off', createSge, '7', exited(0, "<?xml version='1.0'?>\n<job_info><queue_info></queue_info>\n")],
  ['Grid Engine, no bootstrap', createSge, '7', exited(1, '', 'error: unable to read qmaster name')],
  [
    'PBS, server dead',
    pbs,
    '7.srv',
    exited(255, '', 'Connection refused\nqstat: cannot connect to server srv (errno=15010)'),
  ],
  [
    'PBS, host unknown',
    pbs,
    '7.srv',
    exited(255, '', 'Unknown Host.\nqstat: cannot connect to server srv (errno=15008)'),
  ],
  ['PBS, no server named', pbs, '7.srv', exited(1, '', 'No default server name.')],
  ['PBS, nothing printed', pbs, '7.srv', exited(0)],
  ['PBS, unknown id and trouble', pbs, '7.srv', exited(153, '', 'qstat: Unknown Job Id 7.srv\nConnection timed out')],
  ['PBS, unknown id and another code', pbs, '7.srv', exited(1, '', 'qstat: Unknown Job Id 7.srv')],
  ['PBS, another id is unknown', pbs, '7.srv', exited(153, '', 'qstat: Unknown Job Id 17.srv')],
  ['PBS, a state nobody knows', pbs, '7.srv', exited(0, 'Job Id: 7.srv\n    job_state = Z\n\n')],
  ['PBS, a block that was cut off', pbs, '7.srv', exited(0, 'Job Id: 7.srv\n    Job_Name = hr')],
  ['Torque, nothing printed', torque, '7.srv', exited(0)],
  ['HTCondor, schedd away', createHtcondor, '7', exited(1, '', '-- Failed to fetch ads from: <127.0.0.1:9618> : host')],
  ['HTCondor, half a document', createHtcondor, '7', exited(0, '[\n{"ClusterId":9,"ProcId":0,')],
  ['HTCondor, another document', createHtcondor, '7', exited(0, '{}')],
  ['HTCondor, rows without ids', createHtcondor, '7', exited(0, '[{"JobStatus":4}]')],
  ...(
    [
      ['Slurm', createSlurm, '7'],
      ['PBS', pbs, '7.srv'],
      ['Grid Engine', createSge, '7'],
      ['HTCondor', createHtcondor, '7'],
    ] as const
  ).flatMap(([name, create, id]): [string, Create, string, CommandResult][] => [
    [`${name}, no answer`, create, id, broken],
    [`${name}, no client`, create, id, missing],
  ]),
]

/** Listings that prove that 7 is over. */
const OVER: [string, Create, string, CommandResult][] = [
  ['Slurm, absent', createSlurm, '7', exited(0, '71|N/A|71|RUNNING|None|1:00|n1|x\n')],
  ['Slurm, nothing of ours', createSlurm, '7', exited(0)],
  [
    'Slurm, final',
    createSlurm,
    '7',
    exited(0, '7|1|8|TIMEOUT|TimeLimit|0:00|n1|x\n7|2|7|NODE_FAIL|None|INVALID|n1|x\n'),
  ],
  [
    'Grid Engine, absent',
    createSge,
    '7',
    exited(
      0,
      '<?xml version=\'1.0\'?>\n<job_info  xmlns:xsd="x">\n<queue_info></queue_info><job_info></job_info>\n</job_info>\n',
    ),
  ],
  ['PBS, unknown id', pbs, '7.srv', exited(153, '', 'qstat: Unknown Job Id 7.srv')],
  [
    'PBS, finished',
    pbs,
    '7.srv',
    exited(35, '', 'qstat: 7.srv Job has finished, use -x or -H to obtain historical job information'),
  ],
  [
    'PBS, final',
    pbs,
    '7[].srv',
    exited(0, 'Job Id: 7[].srv\n    job_state = F\n\nJob Id: 7[1].srv\n    job_state = X\n\n'),
  ],
  ['Torque, unknown id', torque, '7.srv', exited(153, '', 'qstat: Unknown Job Id Error 7.srv')],
  ['HTCondor, absent', createHtcondor, '7', exited(0)],
]

const REQUEST = {
  name: 'hr-0123abcd',
  directory: mkdtempSync(join(tmpdir(), 'hr-away-')),
  command: 'true',
  nodes: 1,
  cores: 1,
  memoryBytes: 0,
  gpus: 0,
  walltimeSeconds: 60,
  perNode: false,
}

afterAll(() => rmSync(REQUEST.directory, { recursive: true }))

describe('list()', () => {
  it.each(SILENT)('W6 S45 concludes nothing from %s', async (_, create, id, result) => {
    const listing = await create(recorded(result)).list({ ids: [id] })
    expect(verdictOf(listing, { id, acknowledgedAtMs: 0 })).toBe('unknown')
  })

  it.each(OVER)('has proof in %s, but not for what was submitted later', async (_, create, id, result) => {
    const listing = await create(recorded(result)).list({ ids: [id] })
    expect(verdictOf(listing, { id, acknowledgedAtMs: 0 })).toBe('gone')
    expect(verdictOf(listing, { id, acknowledgedAtMs: listing.startedAtMs })).toBe('unknown')
  })

  it.each([
    ['Slurm', createSlurm],
    ['PBS', pbs],
    ['Grid Engine', createSge],
    ['HTCondor', createHtcondor],
  ] as const)('asks %s for everything at once, and nobody for nothing', async (_, create) => {
    const world = recorded(exited(0))
    await create(world).list({ ids: [] })
    expect(world.calls).toEqual([])
    await create(world).list({ ids: ['1.srv', '2.srv', '3.srv'].map(id => (create === pbs ? id : id[0]!)) })
    expect(world.calls).toHaveLength(1)
  })

  it('asks PBS again without -x when it keeps no history, and from then on at once', async () => {
    const world = recorded(
      exited(0, '', 'PBS is not configured to maintain job history'),
      exited(153, '', 'qstat: Unknown Job Id 7.srv'),
    )
    const scheduler = pbs(world)
    const listing = await scheduler.list({ ids: ['7.srv'] })
    expect(verdictOf(listing, { id: '7.srv', acknowledgedAtMs: 0 })).toBe('gone')
    await scheduler.list({ ids: ['7.srv'] })
    expect(world.calls.map(words => words.includes('-x'))).toEqual([true, false, false])
  })
})

describe('submit()', () => {
  it.each(SILENT.filter(([, , , result]) => result.kind !== 'missing'))(
    'W11 does not know what became of it after %s',
    async (_, create, __, result) => {
      const outcome = await create(recorded(result)).submit(REQUEST)
      const answer = result.kind === 'exited' && result.code !== 0 ? result.stderr : ''
      // Words that are an answer to something else; nobody's submission ends so.
      const plain = /^qstat: Unknown Job Id \S+$/.test(answer)
      expect(outcome.kind).toBe(plain ? 'refused' : 'unknown')
    },
  )

  it.each([
    ['slurm', createSlurm, '12\n', '12'],
    ['slurm', createSlurm, '12;cluster\n', '12'],
    ['slurm', createSlurm, 'Submitted batch job 12\n', '12'],
    ['pbs', pbs, 'a word of the site\n12.srv.example\n', '12.srv.example'],
    ['pbs', pbs, '12[].srv\n', '12[].srv'],
    ['sge', createSge, '5.1-3:1\n', '5'],
    ['sge', createSge, '5\n', '5'],
    ['sge', createSge, 'Your job-array 5.1-3:1 ("hr-0123abcd") has been submitted\n', '5'],
    ['sge', createSge, 'Your job 7 ("hr-0123abcd") has been submitted\n', '7'],
    ['htcondor', createHtcondor, '12.0 - 12.19\n', '12'],
    ['htcondor', createHtcondor, 'Submitting job(s).\n1 job(s) submitted to cluster 12.\n', '12'],
  ] as const)('reads the id in what %s says', async (_, create, stdout, id) => {
    expect(await create(recorded(exited(0, stdout))).submit(REQUEST)).toMatchObject({ kind: 'submitted', id })
  })

  it.each([
    [
      'Slurm',
      createSlurm,
      1,
      'sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: Invalid partition name specified',
    ],
    ['PBS', pbs, 170, 'qsub: Unknown queue'],
    [
      'Grid Engine',
      createSge,
      1,
      'Unable to run job: job rejected: the requested project "x" does not exist.\nExiting.',
    ],
    ['Grid Engine', createSge, 14, 'Unable to read script file because of error: error opening x'],
    ['HTCondor', createHtcondor, 1, 'ERROR: Failed to parse command file (line 3).'],
  ] as const)('S36 tells the refusal of %s in its words', async (_, create, code, stderr) => {
    const outcome = await create(recorded(exited(code, '', stderr))).submit(REQUEST)
    expect(outcome).toEqual({ kind: 'refused', message: stderr.replaceAll('\n', '; ') })
  })

  it('names the program that is missing', async () => {
    expect(await createSlurm(recorded(missing)).submit(REQUEST)).toMatchObject({
      kind: 'refused',
      message: missing.kind === 'missing' && missing.message,
    })
  })
})

describe('cancel()', () => {
  it.each([
    [
      'Slurm, forgotten',
      createSlurm,
      exited(1, '', 'scancel: error: Kill job error on job id 7: Invalid job id specified'),
    ],
    ['PBS, unknown', pbs, exited(153, '', 'qdel: Unknown Job Id 7.srv')],
    ['PBS, finished', pbs, exited(35, '', 'qdel: Job has finished 7.srv')],
    ['Grid Engine, unknown', createSge, exited(1, 'denied: job "7" does not exist\n')],
    ['HTCondor, gone', createHtcondor, exited(1, '', "Couldn't find/remove all jobs in cluster 7")],
    ['HTCondor, repeated', createHtcondor, exited(1, '', 'Job 7.0 already marked for removal')],
  ] as const)('takes nothing left to cancel for success: %s', async (_, create, result) => {
    expect(await create(recorded(result)).cancel('7', { kind: 'all' })).toEqual({ kind: 'done' })
  })

  it('tells a refusal from no answer', async () => {
    const denied = exited(1, '', 'scancel: error: Kill job error on job id 7: Access/permission denied')
    expect((await createSlurm(recorded(denied)).cancel('7', { kind: 'all' })).kind).toBe('refused')
    expect((await createSlurm(recorded(broken)).cancel('7', { kind: 'all' })).kind).toBe('unknown')
  })

  it.each([
    ['slurm', createSlurm, '7', ['scancel', '7_[1-3,5]']],
    ['pbs', pbs, '7[].srv', ['qdel', '7[1-3].srv', '7[5].srv']],
    ['torque', torque, '7[].srv', ['qdel', '-t', '1-3,5', '7[].srv']],
    ['htcondor', createHtcondor, '7', ['condor_rm', '7.2', '7.0', '7.1', '7.4']],
  ] as const)('names elements as %s does', async (_, create, id, words) => {
    const world = recorded(exited(0))
    await create(world).cancel(id, { kind: 'elements', indices: [3, 1, 2, 5] })
    expect(world.calls).toEqual([words])
  })
})
