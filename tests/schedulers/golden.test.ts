import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scriptText } from '../../runner/schedulers/describe.ts'
import { findScheduler } from '../../runner/schedulers/find.ts'
import { type AllocationRequest, SCHEDULER_NAMES, type SchedulerName } from '../../runner/schedulers/types.ts'

const GOLDEN = new URL('golden', import.meta.url).pathname
const GIB = 2 ** 30

const SINGLE: AllocationRequest = {
  name: 'hr-0123abcd',
  directory: '/scratch/ada/run 7',
  command: 'runner run 3 --url http://login1:8080',
  cwd: '/home/ada/project',
  nodes: 1,
  cores: 4,
  memoryBytes: 8 * GIB,
  gpus: 0,
  walltimeSeconds: 90_061,
  perNode: false,
  environmentFile: '/scratch/ada/run 7/secrets.env',
  environment: { HEADRACE_URL: 'http://login1:8080', GREETING: "it's" },
  site: { prologue: ['module load node/20', 'source /opt/conda/activate'] },
}
/** What each scheduler has a word for. */
const PLACE: Record<SchedulerName, Partial<AllocationRequest>> = {
  slurm: { queue: 'short', account: 'chem', qos: 'high', reservation: 'maintenance' },
  pbs: { queue: 'short', account: 'chem' },
  torque: { queue: 'short', account: 'chem', qos: 'high' },
  sge: { queue: 'short.q', account: 'chem' },
  htcondor: { account: 'chem' },
  local: {},
}
const DIRECTIVES: Record<SchedulerName, string> = {
  slurm: '--constraint=gpu',
  pbs: '-l software=1',
  torque: '-W x=nmatchpolicy:exactnode',
  sge: '-l hostname=n1',
  htcondor: 'requirements = HasNode',
  local: '',
}
const ARRAY = { first: 1, last: 20 }
const SHAPES: Record<string, Partial<AllocationRequest>> = {
  single: {},
  array: { array: ARRAY },
  throttled: { array: { ...ARRAY, throttle: 8 } },
  gpu: { array: ARRAY, gpus: 2 },
  'multi-node': { nodes: 3, perNode: true },
}
const NO_NODES = new Set<SchedulerName>(['htcondor', 'local'])

const filesOf = (name: SchedulerName, shape: string): string => {
  const site = { ...SINGLE.site, directives: DIRECTIVES[name] === '' ? [] : [DIRECTIVES[name]] }
  const request = { ...SINGLE, ...PLACE[name], site, ...SHAPES[shape] }
  return scriptText(findScheduler(name).renderScript(request))
}

const written = SCHEDULER_NAMES.flatMap(name =>
  Object.keys(SHAPES)
    .filter(shape => !(shape === 'multi-node' && NO_NODES.has(name)))
    .map(shape => [name, shape] as const),
)

describe('renderScript()', () => {
  it.each(written)('S30 S32 S33 S37 writes the golden script of %s: %s', (name, shape) => {
    expect(filesOf(name, shape)).toBe(readFileSync(join(GOLDEN, `${name}-${shape}.txt`), 'utf8'))
  })

  it.each([...NO_NODES])('refuses several nodes where %s has none', name => {
    expect(() => filesOf(name, 'multi-node')).toThrow(`Cannot ask ${name} for an allocation as nodes must be 1`)
  })

  it('has no golden file that nothing writes', () => {
    expect(readdirSync(GOLDEN).sort()).toEqual(written.map(([name, shape]) => `${name}-${shape}.txt`).sort())
  })

  it('S31 makes a plain job of one element in PBS, whose worker has the number of that element', () => {
    const [script] = findScheduler('pbs').renderScript({ ...SINGLE, array: { first: 3, last: 3 } })
    expect(script.text).not.toContain('-J')
    expect(script.text).toContain(`HEADRACE_WORKER="\${PBS_ARRAY_INDEX:-3}"`)
  })

  it.each([
    ['throttle must be a whole number >= 1: current value is 0', { array: { ...ARRAY, throttle: 0 } }],
    ['throttle must be a whole number >= 1: current value is -1', { array: { ...ARRAY, throttle: -1 } }],
    ['throttle must be a whole number >= 1: current value is 1.5', { array: { ...ARRAY, throttle: 1.5 } }],
    ['array.last must be a whole number >= 2', { array: { first: 2, last: 1 } }],
    ['cores must be a whole number >= 1', { cores: 0 }],
    ['walltimeSeconds must be', { walltimeSeconds: Number.NaN }],
    ['queue must be one word', { queue: 'short\n#SBATCH --uid=0' }],
    ['directory must be an absolute path', { directory: 'run' }],
    ['directory must be an absolute path', { directory: '/scratch/$(id)' }],
    ['command must be one line', { command: 'runner\nrm -r' }],
    ['environment must be names of variables', { environment: { 'A=1;B': '' } }],
    ['site.directives must be lines', { site: { directives: ['--a\n--b'] } }],
    ['name must be', { name: '1/2' }],
  ] as const)('S32 refuses what would be read otherwise: %s', (words, changes) => {
    expect(() => findScheduler('slurm').renderScript({ ...SINGLE, ...changes })).toThrow(words)
  })
})

describe('findScheduler()', () => {
  it('S35 names the known ones for an unknown one', () => {
    expect(() => findScheduler('lsf')).toThrow(
      'Cannot use scheduler lsf as it is unknown: choose one of slurm, pbs, torque, sge, htcondor, local',
    )
  })
})
