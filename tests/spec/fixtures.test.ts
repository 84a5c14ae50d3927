import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toExpectedForm } from './expected-form.ts'
import { FIXTURES, loadFixture, readFixtureJson } from './fixture-env.ts'

interface ExpectedFile {
  specs: string[]
  warnings?: { code: string; path: string }[]
  summary: Record<string, unknown>
  workflow: Record<string, unknown>
  [key: string]: unknown
}

const expectedFiles = ['', 'rules/'].flatMap(folder =>
  readdirSync(join(FIXTURES, 'expected', folder))
    .filter(name => name.endsWith('.json'))
    .map(name => `${folder}${name}`),
)

const cases = expectedFiles.flatMap(name => {
  const expected = readFixtureJson<ExpectedFile>(`expected/${name}`)
  return expected.specs.map(spec => ({ spec, expected }))
})

/** `metadata` was text in the file format that the fixtures come from; it is stored as the object that the text holds. */
function withoutMetadata({ metadata: _, ...rest }: Record<string, unknown>) {
  return rest
}

describe('loadSpec() on a valid file', () => {
  test.each(cases)('$spec expands as expected', async ({ spec, expected }) => {
    const { workflow, diagnostics, summary } = await loadFixture(spec)
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    const { job_names: jobNames, ...counts } = summary
    expect(counts).toEqual(expected.summary)
    expect(jobNames).toEqual(expected.job_names)
    const form = toExpectedForm(workflow!)
    const {
      specs: _,
      name: __,
      basis: ___,
      valid: ____,
      warnings: _____,
      summary: ______,
      workflow: record,
      ...lists
    } = expected
    expect(withoutMetadata(form.workflow)).toEqual(withoutMetadata(record))
    expect(form).toMatchObject(lists)
    for (const [key, list] of Object.entries(lists)) expect(form[key as keyof typeof form]).toEqual(list)
  })

  test.each(cases.filter(({ expected }) => expected.warnings))(
    '$spec warns as expected',
    async ({ spec, expected }) => {
      const { diagnostics } = await loadFixture(spec)
      const found = diagnostics.map(({ code, path }) => `${code} ${path}`)
      expect(found.sort()).toEqual(expected.warnings?.map(({ code, path }) => `${code} ${path}`).sort())
    },
  )
})

interface InvalidCase {
  file: string
  kind: string
  line: number
  column: number
  path: string | null
  hint: string | null
}

describe('loadSpec() on an invalid file', () => {
  test.each(readFixtureJson<InvalidCase[]>('specs/invalid/index.json'))(
    '$file points at its one defect',
    async expected => {
      const { diagnostics } = await loadFixture(`invalid/${expected.file}`)
      const [error, ...others] = diagnostics.filter(({ severity }) => severity === 'error')
      expect(others).toEqual([])
      expect(error).toMatchObject({
        code: expected.kind,
        line: expected.line,
        column: expected.column,
        path: expected.path,
      })
      if (expected.hint !== null) expect(error?.hint).toContain(expected.hint)
    },
  )
})
