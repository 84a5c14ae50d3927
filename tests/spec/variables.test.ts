// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import { describe, expect, test } from 'vitest'
import { loadText, problemsOf } from './fixture-env.ts'

const load = (...lines: string[]) => loadText(['name: x', ...lines].join('\n'), { readText: () => 'col\n1\n' })

describe('applyVariables()', () => {
  test('puts values into every text value, before parameters are read', async () => {
    const { workflow } = await load(
      'variables: { account: phys, n_max: "2", dir: /data }',
      'description: "for {account:x}"',
      'env: { ROOT: "{dir}" }',
      'parameters: { i: "1:{n_max}" }',
      'slurm_schedulers: [{ name: s, account: "{account}" }]',
      'user_data: [{ name: u, data: { deep: ["{dir}/u"] } }]',
      'jobs: [{ name: "j{i}", command: "run {i} {dir}", use_parameters: [i] }]',
      'actions: [{ trigger_type: on_workflow_start, action_type: run_commands, commands: ["ls {dir}"] }]',
    )
    expect(workflow).toMatchObject({ description: 'for phys', env: { ROOT: '/data' } })
    expect(workflow?.slurmSchedulers[0]?.account).toBe('phys')
    expect(workflow?.userData[0]?.data).toBe('{"deep":["/data/u"]}')
    expect(workflow?.jobs.map(({ command }) => command)).toEqual(['run 1 /data', 'run 2 /data'])
    expect(workflow?.actions[0]?.config).toMatchObject({ commands: ['ls /data'] })
  })

  test('leaves shell variables, doubled braces and other braces alone', async () => {
    const { workflow, diagnostics } = await load(
      'variables: { v: "1" }',
      `jobs: [{ name: a, command: "\${v} {{v}} {} { v } {print $1} {v}" }]`,
    )
    expect(diagnostics).toEqual([])
    expect(workflow?.jobs[0]?.command).toBe(`\${v} {{v}} {} { v } {print $1} 1`)
  })

  test('does not search inserted values again, and refuses values with a placeholder of their own', async () => {
    const result = await load('variables: { a: "{b}", b: "1", c: "${b}" }', 'jobs: []')
    expect(problemsOf(result)).toEqual(['bad_value variables.a'])
  })

  test('refuses placeholders that are neither variables nor parameters, at the brace', async () => {
    const result = await load(
      'variables: { v: "1" }',
      'jobs:',
      '  - name: a',
      '    command: |',
      '      run {v}',
      '      awk {print}',
    )
    expect(result.diagnostics.map(({ line, column, code, hint }) => ({ line, column, code, hint }))).toEqual([
      { line: 7, column: 11, code: 'unknown_placeholder', hint: 'write { print } if no placeholder is meant' },
    ])
  })

  test('takes parameters of every object and columns of tables for known', async () => {
    const result = await load(
      'variables: { v: "1" }',
      'parameters: { top: "1" }',
      'files: [{ name: "f{own}", path: "f{own}", parameters: { own: "1" } }]',
      'jobs: [{ name: "j{col}", command: "{top} {own} {v}", parameters_file: t.csv }]',
    )
    expect(problemsOf(result).filter(problem => !problem.startsWith('leftover'))).toEqual([])
  })

  test('refuses a name that is a parameter as well, and names all such', async () => {
    const result = await load('variables: { a: "1", b: "2", c: "3" }', 'parameters: { c: "1", a: "1" }', 'jobs: []')
    expect(problemsOf(result)).toEqual(['name_collision variables.a'])
    expect(result.diagnostics[0]?.message).toContain('a, c')
  })

  test('an unreadable table is reported as such', async () => {
    const result = await loadText(
      'name: x\nvariables: { v: "1" }\njobs: [{ name: "j{v}", command: a, parameters_file: none.csv }]\n',
    )
    expect(problemsOf(result)).toEqual(['bad_table jobs[0].parameters_file'])
  })

  test('values must be text and names identifiers', async () => {
    const result = await load('variables: { "a-b": "1", n: 2 }', 'jobs: []')
    expect(problemsOf(result)).toEqual(['bad_value variables.a-b', 'wrong_type variables.n'])
  })
})
