import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { toJson } from '../../api/core/spec/data-json.ts'
import { workflowJsonSchema } from '../../api/core/spec/json-schema.ts'
import { formatDiagnostic } from '../../api/core/spec/report.ts'
import { readSpec } from '../../api/spec/read.ts'
import { loadText } from './fixture-env.ts'
import { misfits } from './schema-check.ts'

const folder = fileURLToPath(new URL('../../examples/', import.meta.url))
const examples = readdirSync(folder).filter(name => /\.(yaml|kdl|json5?)$/.test(name))

describe('examples/', () => {
  test.each(examples)('%s has no errors and no warnings, for the editor either', async fileName => {
    const text = readFileSync(`${folder}${fileName}`, 'utf8')
    expect((await loadText(text, { fileName })).diagnostics.map(formatDiagnostic)).toEqual([])
    const read = await readSpec(text, { fileName })
    expect('tree' in read && misfits(toJson(read.tree.root), workflowJsonSchema())).toEqual([])
  })
})
