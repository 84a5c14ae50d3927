import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runnerCommand } from '../../runner/slurm/runner-command.ts'
import { type NodesWish, prepareScript } from '../../runner/slurm/schedule-nodes.ts'
import { schedulerOf, slurmWorkflowOf } from './rows.ts'

const SITE = { address: { baseUrl: 'http://login1:8080/v1' }, outputDir: '/scratch/out', cwd: '/work' }

/** The script of a wish, with what differs from run to run and from machine to machine made plain. */
function scriptOf(fields: Partial<NodesWish>, environmentFile?: string): string {
  const wish = { workflow: slurmWorkflowOf(), scheduler: schedulerOf(), count: 1, perNode: false, ...fields }
  const program = runnerCommand({ workflowId: 0, url: '', outputDir: '', schedulerConfigId: 0 }).split(' run 0')[0]!
  return prepareScript(wish, SITE, environmentFile)
    .text.replaceAll(program, 'runner')
    .replace(/hr-[0-9a-f]{8}/g, 'hr-00000000')
}

const golden = (name: string): string => readFileSync(new URL(`golden/${name}.sh`, import.meta.url), 'utf8')

const GPU = schedulerOf({
  partition: 'gpu',
  gres: 'gpu:2',
  mem: '64g',
  ntasks_per_node: 1,
  extra: '--cpus-per-task=16',
})
const SITE_LINES = { prologue: ['module load gcc', 'conda activate sim'], directives: ['--constraint=nvme'] }

describe('prepareScript()', () => {
  test.each<[string, Partial<NodesWish>, string?]>([
    ['one-runner', { maxParallelJobs: 4 }],
    [
      'gpu-with-site',
      { scheduler: GPU, workflow: slurmWorkflowOf({ options: { site: SITE_LINES } }) },
      '/scratch/out/access',
    ],
    [
      'runner-per-node',
      {
        scheduler: schedulerOf({ nodes: 4, walltime: '1-00:00:00' }),
        perNode: true,
        count: 2,
        workflow: slurmWorkflowOf({ execution_config: { mode: 'direct', srun_mpi: 'pmix' } }),
      },
    ],
    [
      'serialized',
      {
        scheduler: schedulerOf({ serialize_allocations: true, walltime: 'UNLIMITED' }),
        workflow: slurmWorkflowOf({ slurm_defaults: { qos: 'long', exclusive: true } }),
      },
    ],
  ])('renders %s as its golden file', (name, wish, environmentFile) => {
    expect(scriptOf(wish, environmentFile)).toBe(golden(name))
  })

  test('reads settings that an old client has stored as texts, and takes what is no object for nothing', () => {
    const workflow = slurmWorkflowOf({ slurm_defaults: '{"nice":5}', execution_config: 'none' })
    expect(scriptOf({ workflow })).toContain('#SBATCH --nice=5\n')
  })

  test('refuses a runner on each node in mode slurm, a prefix for a chain, and words that are none', () => {
    const inSteps = slurmWorkflowOf({ execution_config: { mode: 'slurm' } })
    expect(() => scriptOf({ perNode: true, workflow: inSteps })).toThrow('execution_config.mode is slurm')
    const chained = schedulerOf({ serialize_allocations: true })
    expect(() => scriptOf({ scheduler: chained, jobPrefix: 'x' })).toThrow('serialized')
    expect(() => scriptOf({ jobPrefix: '$(x)' })).toThrow('--job-prefix')
    const strange = slurmWorkflowOf({ execution_config: { srun_mpi: 'pmi2; rm x' } })
    expect(() => scriptOf({ workflow: strange })).toThrow('srun_mpi')
  })

  test('begins the name in the queue with the prefix', () => {
    expect(scriptOf({ jobPrefix: 'night' })).toContain('--job-name=night-hr-00000000\n')
  })
})

describe('runnerCommand()', () => {
  test('passes a lease on', () => {
    const words = { workflowId: 1, url: 'http://a/v1', outputDir: '/o', schedulerConfigId: 2, leaseSeconds: 30 }
    expect(runnerCommand(words, ['runner'])).toMatch(/ --lease 30s$/)
  })

  test('quotes what the shell would read otherwise', () => {
    const words = {
      workflowId: 1,
      url: 'http://a/v1',
      outputDir: "/o u/it's",
      schedulerConfigId: 2,
      caCert: '/c a.pem',
    }
    expect(runnerCommand(words, ['node', '/my runner.mjs'])).toBe(
      `node '/my runner.mjs' run 1 --url http://a/v1 --output-dir '/o u/it'\\''s' --scheduler-config-id 2 --ca-cert '/c a.pem'`,
    )
  })
})
