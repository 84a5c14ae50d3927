import { describe, expect, it } from 'vitest'
import { lastMoment, marginMs } from '../../runner/schedulers/end-of-allocation.ts'
import { expandCounts, expandHostList } from '../../runner/schedulers/host-list.ts'
import { findInside } from '../../runner/schedulers/inside.ts'
import { leftoversOf } from '../../runner/schedulers/leftovers.ts'
import { startDelayMs } from '../../runner/schedulers/start-delay.ts'
import type { Inside } from '../../runner/schedulers/types.ts'

const GIB = 2 ** 30
const MIB = 2 ** 20

/** What findInside() makes of an environment and some files. */
const inside = (env: NodeJS.ProcessEnv, files: Record<string, string> = {}): Inside | undefined =>
  findInside({ env, read: path => files[path] })

const OWN = {
  HEADRACE_ALLOCATION_NAME: 'hr-0123abcd',
  HEADRACE_ALLOCATION_NODES: '1',
  HEADRACE_ALLOCATION_CORES: '4',
  HEADRACE_ALLOCATION_MEMORY_BYTES: String(8 * GIB),
  HEADRACE_ALLOCATION_GPUS: '0',
  HEADRACE_ALLOCATION_WALLTIME_SECONDS: '3600',
  HEADRACE_ALLOCATION_STARTED: '1000',
  HEADRACE_ALLOCATION_RUNNERS: '20',
  HEADRACE_WORKER: '7',
}

describe('findInside()', () => {
  it('finds nothing outside of an allocation', () => {
    expect(inside({ PATH: '/bin', JOB_ID: '5', BATCH_SYSTEM: 'Other' })).toBeUndefined()
  })

  it('reads an element of a Slurm array by the number of the array, not by its own', () => {
    const env = {
      SLURM_JOB_ID: '130',
      SLURM_ARRAY_JOB_ID: '123',
      SLURM_ARRAY_TASK_ID: '7',
      SLURM_ARRAY_TASK_COUNT: '20',
      SLURM_JOB_NODELIST: 'n[08-10],m1',
      SLURM_JOB_NUM_NODES: '4',
      SLURM_CPUS_ON_NODE: '6',
      SLURM_MEM_PER_NODE: '2048',
      SLURM_JOB_GPUS: '0,1',
      SLURM_RESTART_COUNT: '2',
      SLURM_JOB_PARTITION: 'short',
    }
    expect(inside(env)).toMatchObject({
      scheduler: 'slurm',
      id: '123',
      elementId: '123_7',
      index: 7,
      worker: 7,
      nodes: 4,
      nodeNames: ['n08', 'n09', 'n10', 'm1'],
      cores: 6,
      memoryBytes: 2 * GIB,
      gpus: 2,
      restarts: 2,
      queue: 'short',
      runnersAtOnce: 20,
    })
  })

  it('takes memory for each core where both stand, since the one for the node is left over from an outer job', () => {
    const env = { SLURM_JOB_ID: '1', SLURM_CPUS_ON_NODE: '4', SLURM_MEM_PER_NODE: '123', SLURM_MEM_PER_CPU: '100' }
    expect(inside(env)!.memoryBytes).toBe(400 * MIB)
    expect(inside({ SLURM_JOB_ID: '1', SLURM_MEM_PER_NODE: '0' })!.memoryBytes).toBeUndefined()
  })

  it('reads the cores of its own node where they differ', () => {
    const env = { SLURM_JOB_ID: '1', SLURM_NODEID: '2', SLURM_JOB_CPUS_PER_NODE: '6(x2),2' }
    expect(inside(env)).toMatchObject({ cores: 2, nodeRank: 2 })
  })

  it('reads an element of PBS, and Torque by its own variables', () => {
    const env = {
      PBS_JOBID: '123[4].srv',
      PBS_ARRAY_INDEX: '4',
      NCPUS: '8',
      PBS_NODEFILE: '/nodes',
      PBS_QUEUE: 'workq',
    }
    expect(inside(env, { '/nodes': 'n1\nn1\nn2\n' })).toMatchObject({
      scheduler: 'pbs',
      id: '123[].srv',
      elementId: '123[4].srv',
      worker: 4,
      nodes: 2,
      nodeNames: ['n1', 'n2'],
      cores: 8,
    })
    const torque = { PBS_JOBID: '123[4].srv', PBS_ARRAYID: '4', PBS_NUM_PPN: '2' }
    expect(inside(torque)).toMatchObject({ scheduler: 'torque', worker: 4, cores: 2 })
    expect(inside({ PBS_JOBID: '9.srv' })).toMatchObject({ scheduler: 'pbs', id: '9.srv', worker: 1, nodes: 1 })
  })

  it('reads Grid Engine, where a plain job has an undefined task and memory is a limit of address space', () => {
    const limits =
      'Limit                     Soft Limit           Hard Limit           Units\nMax address space         2147483648           2147483648           bytes\n'
    const env = {
      JOB_ID: '5',
      SGE_ROOT: '/sge',
      SGE_TASK_ID: 'undefined',
      NSLOTS: '6',
      PE_HOSTFILE: '/pe',
      RESTARTED: '1',
      TMP: '/tmp/5',
    }
    const files = { '/pe': 'n1 4 all.q@n1 UNDEFINED\nn2 2 all.q@n2 UNDEFINED\n', '/proc/self/limits': limits }
    expect(inside(env, files)).toMatchObject({
      scheduler: 'sge',
      id: '5',
      elementId: '5',
      index: undefined,
      worker: 1,
      nodes: 2,
      cores: 4,
      memoryBytes: 2 * GIB,
      restarts: 1,
      scratch: '/tmp/5',
    })
    expect(inside({ JOB_ID: '5', SGE_ROOT: '/sge', SGE_TASK_ID: '3', NSLOTS: '1' })).toMatchObject({
      elementId: '5.3',
      worker: 3,
      cores: 1,
    })
  })

  it('S33 reads HTCondor by its ads, with workers from 1', () => {
    const env = {
      BATCH_SYSTEM: 'HTCondor',
      _CONDOR_JOB_AD: '/job',
      _CONDOR_MACHINE_AD: '/machine',
      CUDA_VISIBLE_DEVICES: '0,1',
    }
    const files = {
      '/job':
        'ClusterId = 12\nProcId = 0\nNumJobStarts = 3\nAllowedExecuteDuration = 600\nJobCurrentStartDate = 1000\nOwner = "ada"\n',
      '/machine': 'Cpus = 4\nMemory = 2048\n',
    }
    expect(inside(env, files)).toMatchObject({
      scheduler: 'htcondor',
      id: '12',
      elementId: '12.0',
      worker: 1,
      cores: 4,
      memoryBytes: 2 * GIB,
      gpus: 2,
      restarts: 2,
      walltimeSeconds: 600,
      startedAtMs: 1_000_000,
    })
  })

  it('believes our script where the scheduler is silent, and only a script of that scheduler', () => {
    const env = { ...OWN, HEADRACE_SCHEDULER: 'sge', JOB_ID: '5', SGE_ROOT: '/sge', SGE_TASK_ID: '7' }
    expect(inside(env)).toMatchObject({
      name: 'hr-0123abcd',
      worker: 7,
      cores: 4,
      memoryBytes: 8 * GIB,
      gpus: 0,
      walltimeSeconds: 3600,
      startedAtMs: 1_000_000,
      runnersAtOnce: 20,
    })
    expect(inside({ ...OWN, HEADRACE_SCHEDULER: 'sge', SLURM_JOB_ID: '1' })).toMatchObject({
      scheduler: 'slurm',
      worker: 1,
      name: undefined,
    })
    const local = {
      ...OWN,
      HEADRACE_SCHEDULER: 'local',
      HEADRACE_LOCAL_ID: '3',
      HEADRACE_LOCAL_INDEX: '7',
      SLURM_JOB_ID: '1',
    }
    expect(inside(local)).toMatchObject({ scheduler: 'local', id: '3', cores: 4 })
  })
})

describe('lastMoment()', () => {
  const at = (seconds: number) => ({ walltimeSeconds: seconds, startedAtMs: 0 }) as Inside
  const known = (seconds: number | undefined) => ({ kind: 'known', seconds }) as const

  it('ends before the allocation does, by whichever word is earlier', () => {
    const hour = 3_600_000
    const margin = 60_000 + 360_000
    expect(lastMoment(at(3600), undefined, 5).endAtMs).toBe(hour - margin)
    expect(lastMoment(at(3600), known(600), 0).endAtMs).toBe(600_000 - margin)
    expect(lastMoment(at(3600), known(7200), 0).endAtMs).toBe(hour - margin)
    expect(lastMoment({} as Inside, known(3600), 10).endAtMs).toBe(hour + 10 - margin)
  })

  it('ends never without a limit, and says when nobody can tell', () => {
    expect(lastMoment({} as Inside, known(undefined), 0)).toEqual({ endAtMs: undefined })
    expect(lastMoment({} as Inside, { kind: 'unknown', message: 'away' }, 0)).toEqual({
      endAtMs: undefined,
      trouble: 'away',
    })
  })

  it('leaves half of a short allocation, and takes ten minutes of a long one at most', () => {
    expect(marginMs(60_000)).toBe(30_000)
    expect(marginMs(86_400_000)).toBe(600_000)
    expect(marginMs(-5)).toBe(0)
  })
})

describe('startDelayMs()', () => {
  it('spreads thousands over half a minute, keeps a few together and one not waiting', () => {
    expect(startDelayMs({ runnersAtOnce: 1 }, 1)).toBe(0)
    expect(startDelayMs({}, 1)).toBe(0)
    expect(startDelayMs({ runnersAtOnce: 4 }, 1)).toBe(60)
    expect(startDelayMs({ runnersAtOnce: 5000 }, 0.5)).toBe(15_000)
  })
})

describe('leftoversOf()', () => {
  it('takes away amounts, places in arrays and ranks, and leaves what mpirun and srun go by', () => {
    const own = {
      SLURM_JOB_ID: '1',
      SLURM_CONF: '/c',
      SLURM_JOB_NODELIST: 'n1',
      PBS_JOBID: '1.srv',
      JOB_ID: '5',
      HEADRACE_WORKER: '3',
      PATH: '/bin',
    }
    const left = {
      SLURM_MEM_PER_NODE: '1',
      SLURM_ARRAY_TASK_ID: '3',
      SLURM_PROCID: '0',
      PMI_RANK: '0',
      PBS_ARRAY_INDEX: '3',
      SGE_TASK_ID: '3',
      HEADRACE_ALLOCATION_NAME: 'hr',
      HEADRACE_SCHEDULER: 'slurm',
    }
    expect(leftoversOf({ ...own, ...left })).toEqual(Object.fromEntries(Object.keys(left).map(name => [name, null])))
  })

  it("gives jobs the user's own options of Node back", () => {
    expect(leftoversOf({ NODE_OPTIONS: '--disable-wasm-trap-handler' })).toEqual({ NODE_OPTIONS: null })
    expect(leftoversOf({ NODE_OPTIONS: '--disable-wasm-trap-handler --max-old-space-size=99' })).toEqual({
      NODE_OPTIONS: '--max-old-space-size=99',
    })
    expect(leftoversOf({ NODE_OPTIONS: '--inspect' })).toEqual({})
  })
})

describe('expandHostList()', () => {
  it.each([
    ['n1', ['n1']],
    ['n[1-3,08-10],m7', ['n1', 'n2', 'n3', 'n08', 'n09', 'n10', 'm7']],
    ['r[1-2]n[1,3]', ['r1n1', 'r1n3', 'r2n1', 'r2n3']],
    ['n[1-2]-ib', ['n1-ib', 'n2-ib']],
    ['', []],
  ])('expands %s', (text, names) => {
    expect(expandHostList(text)).toEqual(names)
  })

  it('expands counts for each node', () => {
    expect(expandCounts('6,2')).toEqual([6, 2])
    expect(expandCounts('4(x3),8')).toEqual([4, 4, 4, 8])
  })
})
