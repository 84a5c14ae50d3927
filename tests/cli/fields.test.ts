import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Fields, needFields, optionsOf, readFields } from '../../runner/nouns/fields.ts'

const FIELDS: Fields = {
  name: { kind: 'text', about: 'its name', required: true },
  kind: { kind: 'text', about: 'which', hint: 'red|blue' },
  num_cpus: { kind: 'integer', about: 'CPUs' },
  memory_gb: { kind: 'amount', about: 'memory' },
  is_active: { kind: 'truth', about: 'whether' },
  data: { kind: 'json', about: 'value' },
  job_ids: { kind: 'ids', about: 'jobs' },
  labels: { kind: 'texts', about: 'labels' },
  env: { kind: 'variables', about: 'environment' },
}

describe('readFields()', () => {
  test('reads each kind, and only what is given', () => {
    const given = {
      name: 'a b',
      kind: 'red',
      'num-cpus': '4',
      'memory-gb': '1.5',
      'is-active': 'false',
      data: '{"a":[1]}',
      'job-ids': '1, 2',
      labels: '',
      env: 'A=1,B=x=y',
    }
    expect(readFields(FIELDS, given)).toEqual({
      name: 'a b',
      kind: 'red',
      num_cpus: 4,
      memory_gb: 1.5,
      is_active: false,
      data: { a: [1] },
      job_ids: [1, 2],
      labels: [],
      env: { A: '1', B: 'x=y' },
    })
    expect(readFields(FIELDS, {})).toEqual({})
  })

  test('takes JSON from a file', () => {
    const path = join(tmpdir(), `headrace-fields-${process.pid}.json`)
    writeFileSync(path, '[1, 2]')
    expect(readFields(FIELDS, { data: `@${path}` })).toEqual({ data: [1, 2] })
    expect(() => readFields(FIELDS, { data: '@/nowhere.json' })).toThrow(
      'Cannot read the file of --data: /nowhere.json',
    )
  })

  test.each([
    [{ 'num-cpus': 'four' }, 'Cannot read --num-cpus as it must be a whole number'],
    [{ kind: 'green' }, 'Cannot read --kind as it must be red or blue: current value is green'],
    [{ 'is-active': 'yes' }, 'Cannot read --is-active as it must be true or false: current value is yes'],
    [{ 'job-ids': '1,x' }, 'Cannot read --job-ids as it must be a whole number >= 1: current value is x'],
    [{ env: 'A' }, 'Cannot read --env as it must be NAME=VALUE: current value is A'],
    [{ data: '{' }, 'Cannot read --data as it is not JSON'],
  ])('refuses %j', (given, message) => {
    expect(() => readFields(FIELDS, given)).toThrow(message)
  })
})

test('needFields() names the option of the first field that is missing', () => {
  expect(() => needFields(FIELDS, {})).toThrow('Cannot go on without --name: --help shows an example')
  expect(() => needFields(FIELDS, { name: '' })).not.toThrow()
})

test('optionsOf() says which are required and what their values look like', () => {
  expect(optionsOf(FIELDS)).toMatchObject({
    name: { valueHint: 'TEXT', description: 'its name (required)' },
    'job-ids': { valueHint: 'ID,…', description: 'jobs' },
    kind: { valueHint: 'red|blue' },
  })
})
