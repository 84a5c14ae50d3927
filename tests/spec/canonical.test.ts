import { describe, expect, test } from 'vitest'
import { canonicalExpansion } from '../../api/core/spec/canonical.ts'
import { compareCodePoints } from '../../api/core/spec/data-json.ts'
import { loadFixture, loadText } from './fixture-env.ts'

describe('canonicalExpansion()', () => {
  test.each(['reservoir-diamond', 'tidal-sweep', 'seismic-survey', 'climate-shared'])(
    'is one text for all formats of %s',
    async stem => {
      const texts = await Promise.all(
        ['yaml', 'json', 'json5', 'kdl'].map(async format =>
          canonicalExpansion((await loadFixture(`${stem}.${format}`)).workflow!),
        ),
      )
      expect(new Set(texts).size).toBe(1)
    },
  )

  test('does not depend on the order of keys, but on everything that is inserted', async () => {
    const textOf = async (...lines: string[]) => canonicalExpansion((await loadText(lines.join('\n'))).workflow!)
    const base = await textOf('name: x', 'env: { A: "1", B: "2" }', 'jobs: [{ name: a, command: a }]')
    expect(await textOf('jobs: [{ command: a, name: a }]', 'env: { B: "2", A: "1" }', 'name: x')).toBe(base)
    expect(await textOf('name: x', 'env: { A: "1", B: "3" }', 'jobs: [{ name: a, command: a }]')).not.toBe(base)
    expect(await textOf('name: x', 'env: { A: "1", B: "2" }', 'jobs: [{ name: a, command: a, priority: 1 }]')).not.toBe(
      base,
    )
  })
})

describe('canonicalExpansion() of a workflow that has run', () => {
  test('is the same although the files between its jobs exist now', async () => {
    const text = [
      'name: x',
      'files: [{ name: f, path: f }]',
      'jobs: [{ name: a, command: a, output_files: [f] }, { name: b, command: b, input_files: [f] }]',
    ].join('\n')
    const [before, after] = await Promise.all([loadText(text), loadText(text, { mtime: () => 1_700_000_000 })])
    expect(after.workflow?.files[0]?.stMtime).toBe(1_700_000_000)
    expect(canonicalExpansion(after.workflow!)).toBe(canonicalExpansion(before.workflow!))
  })
})

describe('compareCodePoints()', () => {
  test('puts characters beyond the basic plane last', () => {
    expect(['\u{1F600}', '\uFF01', 'b', 'ab', 'a', ''].sort(compareCodePoints)).toEqual([
      '',
      'a',
      'ab',
      'b',
      '\uFF01',
      '\u{1F600}',
    ])
    expect(compareCodePoints('\u{1F600}', '\u{1F601}')).toBeLessThan(0)
  })
})
