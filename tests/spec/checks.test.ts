// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import { describe, expect, test } from 'vitest'
import { createReport, formatDiagnostic } from '../../api/core/spec/report.ts'
import { loadText } from './fixture-env.ts'

/** Each case: what it shows, the file below `name: x`, and every problem as `severity line:column code path`. */
type Case = [title: string, lines: string[], problems: string[]]

async function problemsWithPlaces(lines: string[]): Promise<string[]> {
  const { diagnostics } = await loadText(['name: x', ...lines].join('\n'), { readText: () => 'p\n1\n' })
  return diagnostics.map(({ severity, line, column, code, path }) => `${severity} ${line}:${column} ${code} ${path}`)
}

const GO = 'jobs: [{ name: go, command: go }]'

const typeCases: Case[] = [
  [
    'a required key that is null is missing',
    ['jobs:', '  - name: a', '    command: ~'],
    ['error 3:5 missing_key jobs[0].command'],
  ],
  ['an optional key that is null is absent', ['description: ~', GO], []],
  ['the file without jobs', [], ['error 1:1 missing_key jobs']],
  ['a list where a map is needed', ['execution_config: [1]', GO], ['error 2:19 wrong_type execution_config']],
  ['a map where a list is needed', ['jobs: {}'], ['error 2:7 wrong_type jobs']],
  [
    'an item of the wrong type',
    ['jobs:', '  - { name: a, command: a, depends_on: [1] }'],
    ['error 3:41 wrong_type jobs[0].depends_on[0]'],
  ],
  [
    'a float where an integer is needed',
    ['jobs:', '  - { name: a, command: a, priority: 5.0 }'],
    ['error 3:38 wrong_type jobs[0].priority'],
  ],
  [
    'an integer beyond 53 bits',
    ['jobs:', '  - { name: a, command: a, priority: 9007199254740993 }'],
    ['error 3:38 bad_value jobs[0].priority'],
  ],
  ['a key of the environment given twice', ['env: { A: "1", A: "2" }', GO], ['error 2:16 duplicate_key env.A']],
  [
    'a key of free data given twice',
    ['user_data: [{ name: u, data: { a: { b: 1, b: 2 } } }]', GO],
    ['error 2:43 duplicate_key user_data[0].data.a.b'],
  ],
  [
    'two spellings of one key',
    ['jobs_sort_method: none', 'job_sort_method: none', GO],
    ['error 3:1 duplicate_key job_sort_method'],
  ],
  ['an empty name', ['jobs: [{ name: "", command: a }]'], ['error 2:16 bad_value jobs[0].name']],
  [
    'an unknown key of the monitor is tolerated',
    ['resource_monitor: { jobz: 1 }', GO],
    ['warning 2:21 unknown_monitor_key resource_monitor.jobz'],
  ],
  [
    'the monitor checks its intervals',
    ['resource_monitor: { sample_interval_seconds: 0 }', GO],
    ['error 2:46 bad_value resource_monitor.sample_interval_seconds'],
  ],
  [
    'dynamic_jobs allows no other key and no cap below 1',
    ['dynamic_jobs: { max_iterations: 0, x: 1 }', GO],
    ['error 2:33 bad_value dynamic_jobs.max_iterations', 'error 2:36 unknown_key dynamic_jobs.x'],
  ],
]

const nameCases: Case[] = [
  [
    'two sets of one name',
    [
      'resource_requirements:',
      '  - { name: a, num_cpus: 1, memory: 1g }',
      '  - { name: a, num_cpus: 1, memory: 1g }',
      GO,
    ],
    ['error 4:13 duplicate_name resource_requirements[1].name'],
  ],
  [
    'the set default is reserved',
    ['resource_requirements: [{ name: default, num_cpus: 1, memory: 1g }]', GO],
    ['error 2:33 bad_value resource_requirements[0].name'],
  ],
  ['the set default may be named by a job', ['jobs: [{ name: a, command: a, resource_requirements: default }]'], []],
  [
    'GPUs below zero, CPUs below one',
    ['resource_requirements: [{ name: s, num_cpus: 0, num_gpus: -1, memory: 1g }]', GO],
    [
      'error 2:46 bad_value resource_requirements[0].num_cpus',
      'error 2:59 bad_value resource_requirements[0].num_gpus',
    ],
  ],
  [
    'two different jobs of one name',
    ['jobs:', '  - { name: a, command: a }', '  - { name: a, command: a }'],
    ['error 4:13 duplicate_name jobs[1].name'],
  ],
  [
    'files of one name and two paths',
    ['files:', '  - name: f', '    path: "{i}.csv"', '    parameters: { i: "1:2" }', GO],
    ['error 3:11 duplicate_name files[0].name'],
  ],
  [
    'files of one name and one path merge',
    ['files:', '  - name: f', '    path: f.csv', '    parameters: { i: "1:2" }', GO],
    [],
  ],
  [
    'two user_data of one name',
    ['user_data: [{ name: u }, { name: u }]', GO],
    ['error 2:34 duplicate_name user_data[1].name'],
  ],
  [
    'the reserved prefix of user_data',
    ['user_data: [{ name: __torc_lineage__a }]', GO],
    ['error 2:21 bad_value user_data[0].name'],
  ],
  [
    'entries without a name',
    ['user_data: [{ data: 1 }]', 'slurm_schedulers: [{ account: a }]', GO],
    ['warning 2:13 unnamed_entry user_data[0]', 'warning 3:20 unnamed_entry slurm_schedulers[0]'],
  ],
  ['a group listed twice', ['access_groups: [a, b, a]', GO], ['error 2:1 duplicate_name access_groups']],
  [
    'names behind an entry that cannot be read are not called unknown',
    ['jobs:', '  - { command: a }', '  - { name: b, command: b, depends_on: [a] }'],
    ['error 3:5 missing_key jobs[0].name'],
  ],
  [
    'two files of one path',
    ['files: [{ name: a, path: p }, { name: b, path: p }]', GO],
    ['warning 2:48 same_path files[1].path'],
  ],
]

const linkCases: Case[] = [
  [
    'a job that names itself',
    ['jobs: [{ name: a, command: a, depends_on: [a] }]'],
    ['error 2:44 self_dependency jobs[0].depends_on[0]'],
  ],
  [
    'an unknown file and user_data',
    ['jobs: [{ name: a, command: a, input_files: [f], output_user_data: [u] }]'],
    ['error 2:45 unknown_file jobs[0].input_files[0]', 'error 2:68 unknown_user_data jobs[0].output_user_data[0]'],
  ],
  [
    'a reference to nothing, at its $',
    ['jobs:', '  - name: a', '    command: |', '      echo', '      cat ${user_data.input.u} > x'],
    ['error 6:11 unknown_user_data jobs[0].command'],
  ],
  [
    'references of no kind',
    ['jobs:', '  - { name: a, command: "x ${files.in.f} ${file.input.f} ${HOME}" }'],
    ['error 3:28 unknown_file jobs[0].command', 'error 3:42 unknown_file jobs[0].command'],
  ],
  [
    'the second reference of an expanded command',
    [
      'files: [{ name: f_1, path: f }]',
      'jobs:',
      '  - { name: "a_{i}", command: "x ${files.input.f_{i}}", parameters: { i: "1:2" } }',
    ],
    ['error 4:34 unknown_file jobs[0].command'],
  ],
  [
    'a loop through user_data',
    [
      'user_data: [{ name: u }, { name: v }]',
      'jobs:',
      '  - { name: a, command: a, input_user_data: [u], output_user_data: [v] }',
      '  - { name: b, command: b, input_user_data: [v], output_user_data: [u] }',
    ],
    ['error 4:46 cycle jobs[0].input_user_data[0]'],
  ],
  [
    'a loop behind a chain names the loop only',
    [
      'jobs:',
      '  - { name: z, command: a, depends_on: [a] }',
      '  - { name: a, command: a, depends_on: [b] }',
      '  - { name: b, command: b, depends_on: [a] }',
    ],
    ['error 4:41 cycle jobs[1].depends_on[0]'],
  ],
  [
    'several producers of one file',
    [
      'files: [{ name: f, path: f }]',
      'jobs:',
      '  - { name: a, command: a, output_files: [f] }',
      '  - { name: b, command: b, output_files: [f] }',
      '  - { name: c, command: c, input_files: [f] }',
    ],
    ['warning 5:43 several_producers jobs[1].output_files[0]'],
  ],
  [
    'a pattern that finds the own output',
    [
      'files: [{ name: f, path: f }]',
      'jobs:',
      '  - { name: a, command: a, input_file_regexes: ["^f"], output_files: [f] }',
    ],
    ['warning 4:49 own_output jobs[0].input_file_regexes[0]'],
  ],
  ['a pattern that finds only its own job', ['jobs: [{ name: a, command: a, depends_on_regexes: [a] }]'], []],
  [
    'a pattern with look-around, at the character',
    ['jobs: [{ name: a, command: a, depends_on_regexes: ["é(?=b)"] }]'],
    ['error 2:54 bad_regex jobs[0].depends_on_regexes[0]'],
  ],
  [
    'a job that names what only another copy has',
    [
      'jobs:',
      '  - { name: "a{i}", command: a, parameters: { i: "1:2" } }',
      '  - { name: "b{i}", command: b, depends_on: ["a{i}"], parameters: { i: "1:3" } }',
    ],
    ['error 4:46 unknown_job jobs[1].depends_on[0]'],
  ],
]

const slurmCases: Case[] = [
  [
    'walltime and memory that Slurm cannot read',
    ['slurm_schedulers: [{ name: s, account: a, walltime: 1h, mem: 2GB }]', GO],
    ['error 2:53 bad_value slurm_schedulers[0].walltime', 'error 2:62 bad_value slurm_schedulers[0].mem'],
  ],
  [
    'counts below one',
    ['slurm_schedulers: [{ name: s, account: a, nodes: 0, ntasks_per_node: 0 }]', GO],
    ['error 2:50 bad_value slurm_schedulers[0].nodes', 'error 2:70 bad_value slurm_schedulers[0].ntasks_per_node'],
  ],
  [
    'options that belong to a scheduler, in any spelling',
    ['slurm_defaults: { MEM: 1g, job_name: j, account: a }', GO],
    ['error 2:19 excluded_key slurm_defaults.MEM', 'error 2:28 excluded_key slurm_defaults.job_name'],
  ],
  [
    'options without a value',
    ['slurm_defaults: { qos: [a], nice: ~ }', GO],
    ['warning 2:24 skipped_default slurm_defaults.qos', 'warning 2:35 skipped_default slurm_defaults.nice'],
  ],
  [
    'memory and GPUs beyond a scheduler',
    [
      'resource_requirements: [{ name: big, num_cpus: 1, memory: 2g, num_gpus: 2 }]',
      'slurm_schedulers: [{ name: s, account: a, mem: "1024", gres: "gpu:1" }]',
      'jobs: [{ name: a, command: a, resource_requirements: big, scheduler: s }]',
    ],
    ['error 4:54 over_scheduler jobs[0].resource_requirements'],
  ],
  [
    'no scheduler is large enough',
    [
      'resource_requirements: [{ name: big, num_cpus: 1, memory: 2g, runtime: PT3H }]',
      'slurm_schedulers: [{ name: s, account: a }, { name: t, account: a, walltime: "02:00:00" }]',
      'jobs: [{ name: a, command: a, resource_requirements: big }]',
    ],
    ['error 4:54 over_scheduler jobs[0].resource_requirements'],
  ],
  [
    'one scheduler is large enough',
    [
      'resource_requirements: [{ name: big, num_cpus: 1, memory: 2g, runtime: PT2H }]',
      'slurm_schedulers: [{ name: s, account: a }, { name: t, account: a, walltime: "1-0" }]',
      'jobs: [{ name: a, command: a, resource_requirements: big }]',
    ],
    [],
  ],
  [
    'a chain that extra overrides',
    ['slurm_schedulers: [{ name: s, account: a, serialize_allocations: true, extra: "--dependency=afterok:1" }]', GO],
    ['warning 2:79 chain_override slurm_schedulers[0].extra'],
  ],
  [
    'labels beside a scheduler, and bad labels',
    [
      'slurm_schedulers: [{ name: s, account: a }]',
      'jobs:',
      '  - { name: a, command: a, scheduler: s, labels: ["a,b"] }',
      '  - { name: b, command: b, labels: [" c", ""] }',
    ],
    [
      'error 4:50 label_with_scheduler jobs[0].labels',
      'error 4:51 bad_label jobs[0].labels[0]',
      'error 5:37 bad_label jobs[1].labels[0]',
      'error 5:43 bad_label jobs[1].labels[1]',
    ],
  ],
]

const executionCases: Case[] = [
  [
    'keys that slurm mode cannot use',
    [
      'execution_config: { mode: slurm, limit_resources: false, termination_signal: SIGINT, sigterm_lead_seconds: 1, oom_exit_code: 1 }',
      GO,
    ],
    ['limit_resources', 'termination_signal', 'sigterm_lead_seconds', 'oom_exit_code'].map(
      (key, index) => `error 2:${[34, 58, 86, 111][index]} wrong_mode execution_config.${key}`,
    ),
  ],
  [
    'cpu binding in direct mode',
    ['execution_config: { enable_cpu_bind: true }', GO],
    ['error 2:21 wrong_mode execution_config.enable_cpu_bind'],
  ],
  [
    'auto counts as direct without a scheduler',
    ['execution_config: { mode: auto, srun_termination_signal: "TERM@9" }', GO],
    ['error 2:33 wrong_mode execution_config.srun_termination_signal'],
  ],
  [
    'srun_mpi without a worker per node',
    ['execution_config: { srun_mpi: pmix }', GO],
    ['error 2:21 wrong_mode execution_config.srun_mpi'],
  ],
  [
    'srun_mpi of odd letters',
    ['execution_config: { srun_mpi: "pmix;ls" }', GO],
    ['error 2:31 bad_value execution_config.srun_mpi'],
  ],
  [
    'stdio of an unknown mode',
    ['jobs: [{ name: a, command: a, stdio: { mode: no-stdout } }]'],
    ['error 2:46 bad_value jobs[0].stdio.mode'],
  ],
  [
    'overrides are checked like stdio',
    ['execution_config: { job_stdio_overrides: { go: { mode: x } } }', GO],
    ['error 2:56 bad_value execution_config.job_stdio_overrides.go.mode'],
  ],
]

const actionCases: Case[] = [
  [
    'an unknown job',
    [GO, 'actions: [{ trigger_type: on_jobs_ready, action_type: run_commands, jobs: [g], commands: [x] }]'],
    ['error 3:76 unknown_job actions[0].jobs[0]'],
  ],
  [
    'a job twice',
    [GO, 'actions: [{ trigger_type: on_jobs_ready, action_type: run_commands, jobs: [go, go], commands: [x] }]'],
    ['warning 3:80 repeated_entry actions[0].jobs[1]'],
  ],
  [
    'patterns without any match',
    [GO, 'actions: [{ trigger_type: on_jobs_ready, action_type: run_commands, job_name_regexes: [z], commands: [x] }]'],
    ['error 3:88 no_match actions[0].job_name_regexes[0]'],
  ],
  [
    'one pattern without match beside one with',
    [
      GO,
      'actions: [{ trigger_type: on_jobs_ready, action_type: run_commands, job_name_regexes: [z, g], commands: [x] }]',
    ],
    [],
  ],
  [
    'jobs on a trigger that does not look',
    [GO, 'actions: [{ trigger_type: on_workflow_start, action_type: run_commands, jobs: [go], commands: [x] }]'],
    ['warning 3:73 unused_action_jobs actions[0].jobs'],
  ],
  [
    'an unknown action',
    [GO, 'actions: [{ trigger_type: on_workflow_start, action_type: run_command }]'],
    ['error 3:59 bad_value actions[0].action_type'],
  ],
  [
    'schedule_nodes without its keys',
    [GO, 'actions: [{ trigger_type: on_workflow_start, action_type: schedule_nodes }]'],
    ['error 3:11 missing_key actions[0].scheduler', 'error 3:11 missing_key actions[0].scheduler_type'],
  ],
  [
    'counts below one',
    [
      'slurm_schedulers: [{ name: s, account: a }]',
      GO,
      'actions: [{ trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm, num_allocations: 0, max_parallel_jobs: 0 }]',
    ],
    ['error 4:129 bad_value actions[0].num_allocations', 'error 4:151 bad_value actions[0].max_parallel_jobs'],
  ],
  [
    'a scheduler of another type',
    [
      'slurm_schedulers: [{ name: s, account: a }]',
      GO,
      'actions: [{ trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: pbs }]',
    ],
    ['warning 4:105 scheduler_type actions[0].scheduler_type'],
  ],
]

const warningCases: Case[] = [
  [
    'keys without effect',
    ['compute_node_expiration_buffer_seconds: 1', 'jobs: [{ name: a, command: a, supports_termination: true }]'],
    [
      'warning 2:1 ignored_key compute_node_expiration_buffer_seconds',
      'warning 3:31 ignored_key jobs[0].supports_termination',
    ],
  ],
  ['metadata that is no object', ['metadata: "[1]"', GO], ['warning 2:11 bad_metadata metadata']],
  [
    'an empty item and a quoted single value',
    [
      'jobs:',
      '  - { name: "a{p}", command: a, parameters: { p: "[1,]" } }',
      `  - { name: "b{p}", command: b, parameters: { p: "'q'" } }`,
    ],
    ['warning 3:50 empty_item jobs[0].parameters.p', 'warning 4:50 quoted_single jobs[1].parameters.p'],
  ],
  [
    'a format that does nothing, a shell brace',
    ['jobs:', '  - { name: "a{p}", command: "x {p:3d} {p:03d} ${p}", parameters: { p: "1:2" } }'],
    ['warning 3:30 format_ignored jobs[0].command', 'warning 3:30 shell_brace jobs[0].command'],
  ],
  [
    'float noise in a name',
    [
      'jobs:',
      '  - { name: "a{p}", command: "{p}", parameters: { p: "0.0:0.3:0.1" } }',
      '  - { name: "b{p:.1f}", command: "{p}", parameters: { p: "0.0:0.3:0.1" } }',
    ],
    ['warning 3:13 float_noise jobs[0].name'],
  ],
  [
    'a forgotten parameter',
    [
      'parameters: { q: "1" }',
      'jobs: [{ name: a, command: a, input_files: [] , depends_on_regexes: ["^b_{q}"] }, { name: "b_{q}", command: b }]',
    ],
    [
      'warning 3:70 leftover_placeholder jobs[0].depends_on_regexes[0]',
      'error 3:75 bad_regex jobs[0].depends_on_regexes[0]',
      'warning 3:91 leftover_placeholder jobs[1].name',
    ],
  ],
  [
    'rules that never match or never retry',
    ['failure_handlers:', '  - name: h', '    rules:', '      - {}', '      - { exit_codes: [1], max_retries: 1 }', GO],
    ['warning 5:9 dead_rule failure_handlers[0].rules[0]', 'warning 6:9 dead_rule failure_handlers[0].rules[1]'],
  ],
]

const sourceCases: Case[] = [
  [
    'a table beside parameters',
    ['jobs: [{ name: a, command: a, parameters_file: t.csv, parameters: {} }]'],
    ['error 2:55 parameter_source jobs[0].parameters'],
  ],
  [
    'two tables for one job',
    ['parameters_file: t.csv', 'jobs: [{ name: a, command: a, parameters_file: t.csv, use_parameters_file: true }]'],
    ['error 3:55 parameter_source jobs[0].use_parameters_file'],
  ],
  [
    'a shared table that is not there',
    ['jobs: [{ name: a, command: a, use_parameters_file: true }]'],
    ['error 2:31 parameter_source jobs[0].use_parameters_file'],
  ],
  [
    'a table beside shared parameters',
    ['parameters: {}', 'parameters_file: t.csv', GO],
    ['error 3:1 parameter_source parameters_file'],
  ],
  [
    'a name with a brace',
    ['jobs: [{ name: a, command: a, parameters: { "p{": "1" } }]'],
    ['error 2:45 bad_parameter jobs[0].parameters.p{'],
  ],
]

describe.each([
  ['types and keys', typeCases],
  ['names', nameCases],
  ['links', linkCases],
  ['Slurm', slurmCases],
  ['execution_config', executionCases],
  ['actions', actionCases],
  ['warnings', warningCases],
  ['sources of parameters', sourceCases],
])('expandSpec() checks %s:', (_, cases) => {
  test.each(cases)('%s', async (_title, lines, problems) => {
    expect(await problemsWithPlaces(lines)).toEqual(problems)
  })
})

describe('expandSpec()', () => {
  test('reports all problems at once, in the order of the file, and gives no workflow', async () => {
    const result = await loadText(
      'name: x\njobs:\n  - { name: a, comand: a }\n  - { name: b, command: b, depends_on: [c], priority: -1 }\n',
    )
    expect(result.diagnostics.map(({ line, code }) => `${line} ${code}`)).toEqual([
      '3 unknown_key',
      '4 unknown_job',
      '4 bad_value',
    ])
    expect(result.workflow).toBeUndefined()
    expect(result.summary.job_count_before_expansion).toBe(2)
  })

  test('names the combination behind a problem found after expansion', async () => {
    const { diagnostics } = await loadText(
      'name: x\njobs: [{ name: "a_{p}_{s}", command: a, depends_on: ["b_{p}"], parameters: { p: "[u,v]", s: "4" } }]\n',
    )
    expect(diagnostics[0]?.message).toContain('in expansion {p=u, s=4}')
  })

  test('keeps the workflow when the only errors are those that may be skipped', async () => {
    const result = await loadText(
      [
        'name: x',
        'resource_requirements: [{ name: slow, num_cpus: 1, memory: 1g, runtime: PT2H }]',
        'slurm_schedulers: [{ name: s, account: a }]',
        'jobs: [{ name: a, command: a, resource_requirements: slow, scheduler: s }]',
      ].join('\n'),
    )
    expect(result.diagnostics.map(({ code }) => code)).toEqual(['over_scheduler'])
    expect(result.workflow?.jobs).toHaveLength(1)
  })

  test('counts columns in code points and a tab as one', async () => {
    const { diagnostics } = await loadText('name: x\njobs: [{ name: "😀é", comand:\ta }]\n')
    expect(diagnostics[0]).toMatchObject({ line: 2, column: 22, code: 'unknown_key' })
  })
})

describe('formatDiagnostic()', () => {
  test('gives one line with place, path and hint', async () => {
    const { diagnostics } = await loadText(
      'name: x\njobs:\n  - { name: prepare, command: a }\n  - { name: b, command: b, depends_on: [prepair] }\n',
    )
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      'flow.yaml:4:41: error: depends_on names no job "prepair" (jobs[1].depends_on[0]); did you mean "prepare"?',
    ])
  })
})

describe('createReport()', () => {
  test('keeps errors when warnings are many, and stays blocked when errors are many', () => {
    const report = createReport('', 'flow.yaml')
    for (let at = 0; at < 1_000; at++) report.warn('same_path', { at, path: 'files' }, 'w')
    for (let at = 0; at < 1_000; at++) report.error('over_scheduler', { at, path: 'jobs' }, 'e')
    expect(report.isBlocked()).toBe(false)
    report.error('cycle', { at: 0, path: 'jobs' }, 'e')
    expect(report.isBlocked()).toBe(true)
    const codes = report.diagnostics().map(({ code }) => code)
    expect(codes.filter(code => code === 'over_scheduler')).toHaveLength(500)
  })
})
