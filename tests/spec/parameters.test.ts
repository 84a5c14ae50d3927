import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { printFixed, printFloat, significantDigits } from '../../api/core/spec/number-text.ts'
import {
  compileTemplate,
  findPlaceholders,
  type Parameter,
  printValue,
  renderTemplate,
} from '../../api/core/spec/template.ts'
import { parseValues, type Value } from '../../api/core/spec/values.ts'
import { loadText, problemsOf, readFixtureJson } from './fixture-env.ts'

interface Cases {
  values: { value: string; result?: string[]; error?: true }[]
  formats: { value: string; texts: Record<string, string> }[]
  templates_with_v_5: { template: string; text: string }[]
}

const cases = readFixtureJson<Cases>('parameters.json')

function valuesOf(text: string): Value[] {
  const parsed = parseValues(text, () => undefined)
  if ('message' in parsed) throw new Error(parsed.message)
  return parsed.values
}

function withV(values: Value[]): Map<string, Parameter> {
  return new Map([['v', { name: 'v', values, stride: 1 }]])
}

describe('parseValues()', () => {
  test.each(cases.values)('reads "$value" as $result', ({ value, result, error }) => {
    if (error) expect(() => valuesOf(value)).toThrow()
    else expect(valuesOf(value).map(item => printValue(item, undefined))).toEqual(result)
  })

  test('refuses a range with more than a million values, and one that never moves', () => {
    expect(() => valuesOf('1:1000001')).toThrow('more than 1000000 values')
    expect(valuesOf('1:1000000')).toHaveLength(1_000_000)
    expect(() => valuesOf('1e16:2e16:1.0')).toThrow('too small')
    expect(() => valuesOf('0.0:inf:1.0')).toThrow('more than 1000000 values')
  })

  test('keeps integers beyond 53 bits exact in a range', () => {
    expect(valuesOf('9223372036854775805:9223372036854775807').map(String)).toEqual([
      '9223372036854775805',
      '9223372036854775806',
      '9223372036854775807',
    ])
  })

  test('reads a file of values without comments and blank lines, quotes kept', () => {
    const lines = ['# stations', ' ALP ', '', '007', '1.50', "'x'"]
    expect(parseValues('@stations.txt', path => (path === 'stations.txt' ? lines : undefined))).toMatchObject({
      values: ['ALP', 7n, 1.5, "'x'"],
    })
  })

  test('never throws and unwraps any depth of braces', () => {
    expect(valuesOf(`${'{'.repeat(100_000)}7${'}'.repeat(100_000)}`)).toEqual([7n])
    fc.assert(fc.property(fc.string(), text => void parseValues(text, () => undefined)))
  })
})

describe('renderTemplate()', () => {
  const formats = cases.formats.flatMap(({ value, texts }) =>
    Object.entries(texts).map(([template, text]) => ({ value, template, text })),
  )

  test.each(formats)('puts $value into $template as $text', ({ value, template, text }) => {
    expect(renderTemplate(compileTemplate(template, withV(valuesOf(value))), 0)).toBe(text)
  })

  test.each(cases.templates_with_v_5)('makes of $template with v = 5 the text $text', ({ template, text }) => {
    expect(renderTemplate(compileTemplate(template, withV([5n])), 0)).toBe(text)
  })

  test('does not search inserted values again', () => {
    const parameters = new Map([
      ['a', { name: 'a', values: ['{b}'], stride: 1 }],
      ['b', { name: 'b', values: ['x'], stride: 1 }],
    ])
    expect(renderTemplate(compileTemplate('{a}{b}', parameters), 0)).toBe('{b}x')
  })

  test('gives the same text for many parts as for few', () => {
    const many = compileTemplate('{v}-'.repeat(40), withV([5n]))
    expect(renderTemplate(many, 0)).toBe('5-'.repeat(40))
  })
})

describe('findPlaceholders()', () => {
  test('tells names, specs and positions', () => {
    expect(findPlaceholders('a{v:03d}{w}{v}', name => name === 'v')).toEqual([
      { name: 'v', spec: '03d', start: 1, end: 8 },
      { name: 'v', spec: undefined, start: 11, end: 14 },
    ])
  })
})

describe('printFloat()', () => {
  test('reads back as the same number and has no exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        const text = printFloat(value)
        expect(text).toMatch(/^-?\d+(\.\d*[1-9])?$/)
        expect(Object.is(Number(text), value)).toBe(true)
      }),
    )
  })
})

describe('printFixed()', () => {
  test('differs from the value by half a unit of the last digit at most', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 12 }), (value, digits) => {
        const text = printFixed(value, digits)
        expect(text.split('.')[1]?.length ?? 0).toBe(digits)
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(0.5 * 10 ** -digits + 1e-9)
      }),
    )
  })

  test('rounds ties to even on the exact binary value', () => {
    expect([0.5, 1.5, 2.5, -0.5].map(value => printFixed(value, 0))).toEqual(['0', '2', '2', '-0'])
  })
})

describe('significantDigits()', () => {
  test('counts what a float prints, zeros at the edges left out', () => {
    expect([0.3, 0.30000000000000004, 1200, 0.001, 1e21].map(significantDigits)).toEqual([1, 17, 2, 1, 1])
  })
})

describe('parameters of an entry', () => {
  const names = async (body: string) => (await loadText(`name: x\n${body}`)).summary.job_names

  test('native values are taken as written: numbers, quoted text, commas and words', async () => {
    expect(
      await names(
        'jobs: [{ name: "j{a}_{b}_{c}", command: x, parameters: { a: [0.1, .inf], b: ["a,b", "007", true, "1:3"], c: 5 } }]',
      ),
    ).toEqual(['0.1', 'inf'].flatMap(a => ['a,b', '007', 'true', '1:3'].map(b => `j${a}_${b}_5`)))
  })

  test.each(['{ a: 1 }', '[[1]]', '[1, null]', 'null'])('a native value %s is refused', async value => {
    const result = await loadText(`name: x\njobs: [{ name: "j{p}", command: x, parameters: { p: ${value} } }]\n`)
    expect(problemsOf(result)[0]).toMatch(/^bad_parameter jobs\[0\]\.parameters\.p/)
  })

  test('shared parameters are used only where named, each once', async () => {
    const result = await loadText(
      'name: x\nparameters: { i: "1:2" }\njobs: [{ name: "a{i}", command: x, use_parameters: [i, i] }]\n',
    )
    expect(result.summary.job_names).toEqual(['a1', 'a2'])
    expect(problemsOf(result)).toEqual(['repeated_entry jobs[0].use_parameters[1]'])
  })

  test('an unreadable shared parameter is an error only when it is used', async () => {
    const unused = await loadText('name: x\nparameters: { site: "http://x" }\nenv: { S: "{site}" }\njobs: []\n')
    expect(unused.workflow?.env).toEqual({ S: 'http://x' })
    const used = await loadText(
      'name: x\nparameters: { site: "http://x" }\njobs: [{ name: "a{site}", command: x, use_parameters: [site] }]\n',
    )
    expect(problemsOf(used)).toEqual(['bad_parameter parameters.site'])
  })
})
