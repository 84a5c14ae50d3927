import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatOfName } from '../api/core/spec/format-of-name.ts'
import type { SpecFormat } from '../api/core/spec/tree.ts'
import { cannotRun, usageError } from './command-line/error.ts'
import { whyUnwritable } from './text-file.ts'

/** Where commands that make a file put it. */

export const SPEC_FORMATS = ['yaml', 'json', 'json5', 'kdl'] as const satisfies readonly SpecFormat[]

export const SPEC_OUTPUT = {
  output: {
    type: 'string',
    alias: 'o',
    valueHint: 'FILE',
    description: 'write there instead of on standard output (-)',
  },
  force: { type: 'boolean', description: 'replace the output if it is there' },
} as const

/** The file that `--output` names; `-` is standard output, as no name is. */
export const outputFile = (output: string | undefined): string | undefined =>
  output === STANDARD_OUTPUT ? undefined : output

const STANDARD_OUTPUT = '-'

/** The format that the name of an output announces. */
export function specFormatOf(output: string | undefined): SpecFormat | undefined {
  return output === undefined ? undefined : formatOfName(output)
}

/** Writes a new file; one that is there is replaced only with `force`. */
export function writeResult(path: string, text: string, force: boolean): void {
  try {
    writeFileSync(resolve(path), text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw usageError(`Cannot write ${path} as it is there already: --force replaces it`)
    throw cannotRun(`Cannot write ${path}: ${whyUnwritable(error)}`)
  }
}
