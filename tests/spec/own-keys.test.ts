// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import { describe, expect, test } from 'vitest'
import { loadText, problemsOf } from './fixture-env.ts'

const load = (...lines: string[]) => loadText(['name: x', ...lines].join('\n'))

describe('keys of our own', () => {
  test('are read with their defaults, on the workflow and on a job', async () => {
    const { workflow } = await load(
      'loss_budget: 2',
      'retry: { max: 3, on: [oom, timeout], memory_factor: 1.5, max_memory: 4g, max_runtime: PT2H }',
      'transient: { exit_codes: [75] }',
      'site: { prologue: ["module load x"], directives: ["#SBATCH -C lustre"] }',
      'resource_requirements: [{ name: big, num_cpus: 2, memory: 1g }]',
      'jobs:',
      '  - { name: "a{i}", command: a, tags: { kind: "k{i}" }, cwd: "run/{i}", time_limit: PT0.5S, eject: true, parameters: { i: "1:2" } }',
      '  - { name: b, command: b, resource_requirements: big, deterministic: { log_patterns: ["NaN"] } }',
      '  - { name: c, command: c, family: solver, retry: {} }',
    )
    expect(workflow).toMatchObject({
      lossBudget: 2,
      retry: {
        max: 3,
        backoffSeconds: 10,
        backoffMaxSeconds: 600,
        on: ['oom', 'timeout'],
        memoryFactor: 1.5,
        maxMemoryBytes: 4 * 2 ** 30,
        maxRuntimeSeconds: 7200,
      },
      transient: { exitCodes: [75], logPatterns: [] },
      site: { prologue: ['module load x'], directives: ['#SBATCH -C lustre'] },
    })
    const [first, second, b, c] = workflow!.jobs
    expect(first).toMatchObject({
      tags: { kind: 'k1' },
      cwd: 'run/1',
      timeLimitSeconds: 0.5,
      eject: true,
      family: 'default',
    })
    expect(second).toMatchObject({ tags: { kind: 'k2' }, cwd: 'run/2' })
    expect(b).toMatchObject({ family: 'big', deterministic: { exitCodes: [], logPatterns: ['NaN'] } })
    expect(c).toMatchObject({ family: 'solver', retry: { max: 0, on: [] } })
  })

  test.each([
    ['retry: { on: [sometimes] }', 'bad_value retry.on[0]'],
    ['retry: { memory_factor: 0.5 }', 'bad_value retry.memory_factor'],
    ['retry: { max_memory: lots }', 'bad_value retry.max_memory'],
    ['loss_budget: -1', 'bad_value loss_budget'],
    ['transient: { log_patterns: [""] }', 'bad_value transient.log_patterns[0]'],
    ['site: { lines: [] }', 'unknown_key site.lines'],
  ])('%s is refused', async (line, problem) => {
    expect(problemsOf(await load(line, 'jobs: []'))).toEqual([problem])
  })
})

describe('keys of the newer format', () => {
  test('dynamic_jobs, access_groups, labels and a metadata map', async () => {
    const { workflow } = await load(
      'dynamic_jobs: {}',
      'access_groups: [b, a]',
      'metadata: { z: 1, a: { pi: Noor } }',
      'jobs: [{ name: "j{i}", command: a, labels: ["gpu{i}", windows, "gpu{i}"], parameters: { i: "1:1" } }]',
    )
    expect(workflow).toMatchObject({ dynamicJobs: { maxIterations: 1000 }, accessGroups: ['b', 'a'] })
    expect(workflow?.metadata).toBe('{"z":1,"a":{"pi":"Noor"}}')
    expect(workflow?.jobs[0]?.labels).toEqual(['gpu1', 'windows'])
  })

  test('metadata as text: an object is stored as that object, other text is wrapped with a warning', async () => {
    expect((await load(`metadata: '{"a":1}'`, 'jobs: []')).workflow?.metadata).toBe('{"a":1}')
    const wrapped = await load('metadata: grant K-17', 'jobs: []')
    expect(wrapped.workflow?.metadata).toBe('{"text":"grant K-17"}')
    expect(problemsOf(wrapped)).toEqual(['bad_metadata metadata'])
  })

  test('has_schedule_nodes_action counts the triggers at which a submitted workflow can ask for nodes', async () => {
    const summaryOf = async (trigger: string, jobs: string) =>
      (
        await load(
          'slurm_schedulers: [{ name: s, account: a }]',
          'jobs: [{ name: go, command: go }]',
          `actions: [{ trigger_type: ${trigger}, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm${jobs} }]`,
        )
      ).summary.has_schedule_nodes_action
    expect(await summaryOf('on_jobs_ready', ', jobs: [go]')).toBe(true)
    expect(await summaryOf('on_worker_start', '')).toBe(false)
  })
})

describe('files', () => {
  test('only inputs get a modification time, and only where the file gives none', async () => {
    const asked: string[] = []
    const { workflow } = await loadText(
      [
        'name: x',
        'files: [{ name: in, path: in.csv }, { name: out, path: out.csv }, { name: set, path: set.csv, st_mtime: 5 }, { name: idle, path: idle.csv }]',
        'jobs: [{ name: a, command: "x ${files.input.in} ${files.output.out}", input_files: [set] }]',
      ].join('\n'),
      {
        mtime: path => {
          asked.push(path)
          return 1_700_000_000.5
        },
      },
    )
    expect(asked).toEqual(['in.csv'])
    expect(workflow?.files.map(({ stMtime }) => stMtime)).toEqual([1_700_000_000.5, undefined, 5, undefined])
  })

  const withIdentifier = (identifier: string, ...rest: string[]) =>
    load(
      'enable_ro_crate: true',
      `files: [{ name: a, path: a.csv, identifier: "${identifier}" }, { name: b, path: b.csv }]`,
      'jobs: [{ name: j, command: j, input_files: [a] }]',
      ...rest,
    )

  test('an identifier of an input is kept', async () => {
    expect((await withIdentifier('doi:10/x')).workflow?.files[0]?.identifier).toBe('doi:10/x')
  })

  test.each(['', ' ', 'b.csv', '#torc-x', '#job-1', '#software-y', 'ro-crate-metadata.json', './'])(
    'the identifier "%s" is refused',
    async identifier => {
      expect(problemsOf(await withIdentifier(identifier))).toEqual(['bad_identifier files[0].identifier'])
    },
  )

  test.each([
    [
      'without the record',
      ['files: [{ name: a, path: a, identifier: i }]', 'jobs: [{ name: j, command: j, input_files: [a] }]'],
    ],
    [
      'of an output',
      [
        'enable_ro_crate: true',
        'files: [{ name: a, path: a, identifier: i }]',
        'jobs: [{ name: j, command: j, output_files: [a] }]',
      ],
    ],
    [
      'of a file that nobody reads',
      ['enable_ro_crate: true', 'files: [{ name: a, path: a, identifier: i }]', 'jobs: []'],
    ],
    [
      'given twice by expansion',
      [
        'enable_ro_crate: true',
        'files: [{ name: "a{p}", path: "a{p}", identifier: i, parameters: { p: "1:2" } }]',
        'jobs: [{ name: j, command: j, input_files: [a1, a2] }]',
      ],
    ],
  ])('an identifier %s is refused', async (_, lines) => {
    expect(problemsOf(await load(...lines))).toEqual(['bad_identifier files[0].identifier'])
  })
})
