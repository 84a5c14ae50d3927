// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { SpecExpansion } from '../../api/core/spec/expand.ts'
import { loadText, problemsOf } from './fixture-env.ts'

/** Far more than any of these takes; a quadratic step would need minutes. */
const PATIENCE_MS = 20_000

/**
 * A hostile file ends in an error within a second. Processor time, since others may use the machine; several times as much, since that of
 * the garbage collector's threads counts too, and machines differ.
 */
const HOSTILE_CPU_MS = 5_000

const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))

async function timed(text: string, fileName?: string): Promise<{ result: SpecExpansion; cpuMs: number }> {
  const before = process.cpuUsage()
  const result = await loadText(text, fileName === undefined ? {} : { fileName })
  const { user, system } = process.cpuUsage(before)
  return { result, cpuMs: (user + system) / 1000 }
}

const sweep = (count: number) =>
  [
    'name: x',
    'files:',
    `  - { name: "f_{i}", path: "data/{i:06d}.csv", parameters: { i: "1:${count}" } }`,
    'jobs:',
    `  - { name: "make_{i}", command: "make \${files.output.f_{i}}", env: { I: "{i}" }, parameters: { i: "1:${count}" } }`,
    `  - { name: "use_{i}", command: "use {i}", depends_on_regexes: ["^make_{i}$"], input_file_regexes: ['^f_{i}$'], parameters: { i: "1:${count}" } }`,
    '  - { name: all, command: all, depends_on_regexes: ["^use_\\\\d+$"] }',
  ].join('\n')

describe('loadSpec() on large files', () => {
  test(
    'takes time in proportion to the jobs',
    async () => {
      await timed(sweep(500))
      const small = await timed(sweep(5_000))
      const large = await timed(sweep(50_000))
      expect(large.result.workflow?.jobs).toHaveLength(100_001)
      expect(large.result.workflow?.jobs.at(-1)?.dependsOn).toHaveLength(50_000)
      // Ten times the jobs; a quadratic step would make it a hundred times the time.
      expect(large.cpuMs).toBeLessThan(small.cpuMs * 40)
    },
    PATIENCE_MS,
  )

  test(
    'shares one environment between jobs that have none of their own',
    async () => {
      const { workflow } = await loadText(
        'name: x\nenv: { A: "1" }\njobs: [{ name: "j{i}", command: a, parameters: { i: "1:3" } }]\n',
      )
      expect(workflow?.jobs[2]?.env).toBe(workflow?.jobs[0]?.env)
    },
    PATIENCE_MS,
  )
})

/** Prints what a program used when it ends. */
const TELL_USAGE = `--import=data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => process.stderr.write(JSON.stringify(process.resourceUsage())))',
)}`

describe('runner create --dry-run', () => {
  test(
    'expands a short file to 100,000 jobs in less than 2 s and 500 MB',
    () => {
      const { stdout, stderr } = spawnSync(process.execPath, [BUNDLE, 'create', '--dry-run', '-'], {
        input: sweep(50_000),
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: TELL_USAGE },
      })
      expect(stdout).toContain('Valid: x (100,001 jobs, 50,000 files')
      const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(stderr)
      expect(maxRSS).toBeLessThan(500 * 1024)
      // On a machine of its own it takes half of that, the collector's threads included.
      expect((userCPUTime + systemCPUTime) / 1e6).toBeLessThan(4)
    },
    PATIENCE_MS,
  )
})

describe('loadSpec() on hostile files', () => {
  const job = (rest: string) => `name: x\njobs: [{ name: "j", command: "a", ${rest} }]\n`

  test.each([
    [
      'a product of three ranges',
      job('parameters: { a: "1:1000000", b: "1:1000000", c: "1:1000000" }'),
      'bad_parameter jobs[0].parameters',
    ],
    [
      'many long ranges zipped',
      job(
        `parameter_mode: zip, parameters: { ${Array.from({ length: 200 }, (_, index) => `p${index}: "1:1000000"`).join(', ')} }`,
      ),
      'bad_parameter jobs[0].parameters.p4',
    ],
    [
      'many entries with a million copies each',
      `name: x\njobs:\n${Array.from({ length: 300 }, (_, index) => `  - { name: "a${index}_{i}", command: a, parameters: { i: "1:1000000" } }`).join('\n')}\n`,
      'bad_parameter jobs[1].parameters',
    ],
    [
      'a long command copied a million times',
      `name: x\njobs: [{ name: "j{i}", command: "${'{i}'.repeat(100_000)}", parameters: { i: "1:1000000" } }]\n`,
      'bad_parameter jobs[0].parameters',
    ],
    [
      'a long value put into many commands',
      `name: x\njobs: [{ name: "j{i}", command: "{t}{t}{t}{t}", parameters: { i: "1:100000", t: "${'t'.repeat(10_000)}" } }]\n`,
      'bad_parameter jobs[0].parameters',
    ],
    [
      'every job linked to every job',
      'name: x\njobs:\n  - { name: "a_{i}", command: a, parameters: { i: "1:20000" } }\n  - { name: "b_{i}", command: b, depends_on_regexes: [a], parameters: { i: "1:20000" } }\n',
      'bad_value jobs[1]',
    ],
    [
      'thousands of patterns that start anywhere',
      'name: x\njobs:\n  - { name: "a_{i}", command: a, parameters: { i: "1:20000" } }\n  - { name: "b_{i}", command: b, depends_on_regexes: [\'\\w{i}$\'], parameters: { i: "1:20000" } }\n',
      'bad_regex jobs[1].depends_on_regexes[0]',
    ],
    [
      'variables that grow to gigabytes',
      `name: x\nvariables: { a: "${'x'.repeat(100_000)}" }\njobs:\n${Array.from({ length: 5_000 }, (_, index) => `  - { name: j${index}, command: "{a}{a}{a}{a}{a}{a}{a}{a}" }`).join('\n')}\n`,
      'bad_value variables',
    ],
    [
      'thousands of variables of the shell, copied for every job',
      `name: x\nenv: { ${Array.from({ length: 2_000 }, (_, index) => `K${index}: v`).join(', ')} }\njobs: [{ name: "j{i}", command: a, env: { A: "{i}" }, parameters: { i: "1:100000" } }]\n`,
      'bad_parameter jobs[0].parameters',
    ],
    [
      'a large text put into every command by reference',
      `name: x\nuser_data: [{ name: u, data: "${'p'.repeat(100_000)}" }]\njobs: [{ name: "j{i}", command: "${'${user_data.input.u}'.repeat(10)}", parameters: { i: "1:100000" } }]\n`,
      'bad_parameter jobs[0].parameters',
    ],
    [
      'every job linked to every file',
      'name: x\nfiles: [{ name: "f{i}", path: "p{i}", parameters: { i: "1:1000" } }]\njobs: [{ name: "j{i}", command: a, input_file_regexes: [f], parameters: { i: "1:100000" } }]\n',
      'bad_value jobs[0]',
    ],
    [
      'patterns of actions by the thousand',
      `name: x\njobs: [{ name: "j{i}", command: a, parameters: { i: "1:100000" } }]\nactions:\n${Array.from({ length: 2_000 }, (_, index) => `  - { trigger_type: on_jobs_ready, action_type: run_commands, commands: [a], job_name_regexes: ['\\d${index}'] }`).join('\n')}\n`,
      'bad_regex actions[97].job_name_regexes[0]',
    ],
    [
      'a pattern that needs too much memory',
      job("depends_on_regexes: ['x{1000}{1000}{1000}']"),
      'bad_regex jobs[0].depends_on_regexes[0]',
    ],
    [
      'a pattern of a hundred thousand groups',
      job(`depends_on_regexes: ['${'('.repeat(100_000)}']`),
      'bad_regex jobs[0].depends_on_regexes[0]',
    ],
  ])(
    '%s ends in an error, soon',
    async (_, text, problem) => {
      const { result, cpuMs } = await timed(text)
      expect(cpuMs).toBeLessThan(HOSTILE_CPU_MS)
      expect(result.workflow).toBeUndefined()
      expect(problemsOf(result).filter(found => !/^(warning|merged|float)/.test(found))[0]).toBe(problem)
    },
    PATIENCE_MS,
  )

  const deep = (open: string, count: number) => open.repeat(count)
  const laughs = Array.from(
    { length: 11 },
    (_, index) => `  a${index + 1}: &a${index + 1} [${Array(10).fill(`*a${index}`).join(',')}]`,
  )

  test.each([
    ['aliases of aliases', `name: x\nmetadata:\n  a0: &a0 [ha, ha]\n${laughs.join('\n')}\njobs: []\n`, 'flow.yaml'],
    ['deep lists in YAML', `name: x\nmetadata: ${deep('[', 200_000)}`, 'flow.yaml'],
    [
      'deep blocks in YAML',
      `name: x\nmetadata:\n${Array.from({ length: 3_000 }, (_, index) => `${' '.repeat(index + 1)}a:\n`).join('')}`,
      'flow.yaml',
    ],
    ['deep lists in JSON', `{"name":"x","metadata":${deep('[', 1_000_000)}`, 'flow.json'],
    ['deep maps in JSON5', `{name:"x",metadata:${deep('{a:', 300_000)}`, 'flow.json5'],
    ['deep nodes in KDL', `name x\n${deep('a {', 300_000)}`, 'flow.kdl'],
    ['a text that never ends', `{"name":"${'x'.repeat(5_000_000)}`, 'flow.json'],
    ['a comment that never ends', `{/*${'*'.repeat(5_000_000)}`, 'flow.json5'],
  ])(
    '%s end in a syntax error, soon',
    async (_, text, fileName) => {
      const { result, cpuMs } = await timed(text, fileName)
      expect(result.diagnostics.map(({ code }) => code)).toEqual(['syntax'])
      expect(cpuMs).toBeLessThan(HOSTILE_CPU_MS)
    },
    PATIENCE_MS,
  )

  test.each([
    [
      'placeholders that never close',
      job('priority: 0, parameters: { v: "1" }').replace('"a"', `"${'{v:'.repeat(200_000)}"`),
    ],
    [
      'variables that never close',
      `variables: { v: "1" }\n${job('priority: 0').replace('"a"', `"${'{v:'.repeat(200_000)}"`)}`,
    ],
    ['references that never close', job('priority: 0').replace('"a"', `"${'${files.input.x'.repeat(50_000)}"`)],
    [
      'a hundred thousand unknown items',
      job(`depends_on: [${Array.from({ length: 50_000 }, (_, index) => `other_name_${index}`).join(',')}]`),
    ],
    [
      'many parameters named in a message of every copy',
      job(
        `depends_on: ["x{p0}"], parameters: { p0: "1:20000", ${Array.from({ length: 20_000 }, (_, index) => `q${index}: "1"`).join(', ')} }`,
      ),
    ],
  ])(
    '%s cost no quadratic time',
    async (_, text) => {
      const { diagnostics } = await loadText(text)
      expect(diagnostics.length).toBeLessThanOrEqual(500)
    },
    PATIENCE_MS,
  )

  test(
    'unknown nodes of KDL among many jobs cost no quadratic time',
    async () => {
      const nodes = Array.from({ length: 20_000 }, (_, index) => `node${index} 1\njob "j${index}" { command "x"; }\n`)
      const { diagnostics } = await loadText(`name "x"\n${nodes.join('')}`, { fileName: 'flow.kdl' })
      expect(diagnostics).toHaveLength(500)
    },
    PATIENCE_MS,
  )

  test(
    'a hundred thousand problems are cut, not collected',
    async () => {
      const lines = Array.from({ length: 20_000 }, (_, index) => `key${index}: 1`)
      const { diagnostics } = await loadText(`name: x\njobs: []\n${lines.join('\n')}\n`)
      expect(diagnostics).toHaveLength(500)
    },
    PATIENCE_MS,
  )
})
