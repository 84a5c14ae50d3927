// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import { describe, expect, test } from 'vitest'
import { parseCsv } from '../../api/core/spec/csv.ts'
import { loadText, problemsOf } from './fixture-env.ts'

const JOB = 'name: x\njobs:\n  - { name: "j_{a}", command: "run {a:.1f} {b}", parameters_file: '

function loadTable(path: string, text: string | undefined) {
  return loadText(`${JOB}${path} }\n`, { readText: name => (name === path ? text : undefined) })
}

describe('parseCsv()', () => {
  test('trims cells, keeps quoted commas, quotes and line breaks, skips blank lines', () => {
    expect(parseCsv('a, b\r\n1 ,"x, ""y""\nz"\n\n ,\n')).toEqual([
      ['a', 'b'],
      ['1', 'x, "y"\nz'],
      ['', ''],
    ])
  })

  test('refuses a quote that is never closed or stands inside a cell', () => {
    expect(parseCsv('a\n"x')).toBeUndefined()
    expect(parseCsv('a\nx"y"z')).toBeUndefined()
  })
})

describe('tables of parameters', () => {
  test('a CSV gives one job per row, in order; cells are numbers where they can be', async () => {
    const { workflow } = await loadTable('t.CSV', 'a,b\n2,x\n1.50,"p,q"\n007,\n')
    expect(workflow?.jobs.map(({ name, command }) => [name, command])).toEqual([
      ['j_2', 'run 2 x'],
      ['j_1.5', 'run 1.5 p,q'],
      ['j_7', 'run 7 '],
    ])
  })

  test('a JSON list keeps text as text and writes other values as JSON', async () => {
    const { workflow } = await loadTable('t.json', '[{"a": "007", "b": true}, {"a": 1.0, "b": [1, {"z": null}]}]')
    expect(workflow?.jobs.map(({ name, command }) => [name, command])).toEqual([
      ['j_007', 'run 007 true'],
      ['j_1', 'run 1.0 [1,{"z":null}]'],
    ])
  })

  test('JSON lines skip blank lines', async () => {
    const { workflow } = await loadTable('t.ndjson', '{"a": 1, "b": 2}\n\n{"a": 2, "b": 2}\n')
    expect(workflow?.jobs.map(({ name }) => name)).toEqual(['j_1', 'j_2'])
  })

  test.each([
    ['t.txt', 'a,b\n1,2\n'],
    ['t.csv', undefined],
    ['t.csv', 'a,b\n'],
    ['t.csv', 'a,a\n1,2\n'],
    ['t.csv', 'a,\n1,2\n'],
    ['t.csv', 'a,b\n1\n'],
    ['t.csv', ''],
    ['t.json', '{"a": 1}'],
    ['t.json', '[1]'],
    ['t.json', '[{"a": 1, "a": 2}]'],
    ['t.json', '[{"a": 1}'],
    ['t.jsonl', '{"a": 1}\n{'],
    ['t.json', '[{"a{": 1}]'],
  ])('%s holding %j is a bad table', async (path, text) => {
    expect(problemsOf(await loadTable(path, text))).toEqual(['bad_table jobs[0].parameters_file'])
  })

  test('a row without the value of a placeholder is an error that names the row', async () => {
    const result = await loadTable('t.json', '[{"a": 1, "b": 2}, {"a": 2}]')
    expect(problemsOf(result)).toEqual(['unknown_parameter jobs[0].command'])
    expect(result.diagnostics[0]?.message).toContain('row 2')
  })

  test('the shared table is taken only by those that ask for it', async () => {
    const { workflow } = await loadText(
      [
        'name: x',
        'parameters_file: t.csv',
        'jobs: [{ name: "j{p}", command: a, use_parameters_file: true }, { name: k, command: a, use_parameters_file: false }]',
        'files: [{ name: "f{p}", path: "{p}.csv", use_parameters_file: true }]',
      ].join('\n'),
      { readText: () => 'p\n1\n2\n' },
    )
    expect(workflow?.jobs.map(({ name }) => name)).toEqual(['j1', 'j2', 'k'])
    expect(workflow?.files.map(({ path }) => path)).toEqual(['1.csv', '2.csv'])
  })
})

describe('user_data', () => {
  test('expands in its name and in every text of its data, where text stays text', async () => {
    const { workflow } = await loadText(
      'name: x\njobs: []\nuser_data: [{ name: "u_{k}", data: { b: ["{k}", 1.0], "{k}": "n {k:02d}" }, parameters: { k: "3:4" } }]\n',
    )
    expect(workflow?.userData.map(({ name, data }) => [name, data])).toEqual([
      ['u_3', '{"b":["3",1.0],"{k}":"n 03"}'],
      ['u_4', '{"b":["4",1.0],"{k}":"n 04"}'],
    ])
  })

  test('keys of compact JSON ascend by code point at every level', async () => {
    const { workflow } = await loadText(
      'name: x\nuser_data: [{ name: u, data: { "\u{1F600}": 1, "\uFF01": 2, a: { z: 1, b: .nan } } }]\njobs: [{ name: a, command: "echo ${user_data.input.u}" }]\n',
    )
    expect(workflow?.jobs[0]?.command).toBe('echo {"a":{"b":null,"z":1},"\uFF01":2,"\u{1F600}":1}')
  })
})
