import { WORKFLOW } from '../core/spec/keys.ts'
import { meaningOf } from '../core/spec/meaning.ts'
import { createReport } from '../core/spec/report.ts'
import { readObject } from '../core/spec/schema.ts'
import type { SpecFormat, SpecTree } from '../core/spec/tree.ts'
import type { Diagnostic } from '../core/spec/types.ts'
import { attachComments } from './attach-comments.ts'
import { findComments } from './find-comments.ts'
import { lossesOf } from './losses.ts'
import { type ReadOptions, readSpec } from './read.ts'
import { Unwritable } from './unwritable.ts'
import { writeSpec } from './write.ts'

export type Conversion =
  | { kind: 'converted'; text: string; lost: string[] }
  /** The file has errors in its keys or types. */
  | { kind: 'invalid'; diagnostics: Diagnostic[] }
  /** The other format cannot say the same. */
  | { kind: 'unwritable'; message: string }

/**
 * Says a workflow file in another format, comments included where that has any; `lost` tells what could not be kept. The result is read
 * again and compared, so a conversion never changes what a file means. The same format gives the text as it is.
 */
export async function convertSpec(text: string, options: ReadOptions, to: SpecFormat): Promise<Conversion> {
  const read = await readSpec(text, options)
  if ('diagnostics' in read) return { kind: 'invalid', diagnostics: read.diagnostics }
  const { tree } = read
  const diagnostics = problemsOf(tree, options.fileName)
  if (diagnostics.length > 0) return { kind: 'invalid', diagnostics }
  if (tree.format === to) return { kind: 'converted', text, lost: [] }

  const { root, source, format } = tree
  const comments = findComments(source, format)
  const written = await tryToWrite(tree, to, attachComments(root, source, comments))
  if ('message' in written) return { kind: 'unwritable', message: written.message }
  const again = await readSpec(written.text, { fileName: options.fileName, format: to })
  const isSame =
    'tree' in again &&
    problemsOf(again.tree, options.fileName).length === 0 &&
    meaningOf(again.tree.root) === meaningOf(root)
  if (!isSame) {
    return {
      kind: 'unwritable',
      message: `${to} has no form for some value of this file (such as NaN or no jobs at all)`,
    }
  }
  return { kind: 'converted', text: written.text, lost: lossesOf(source, format, to, comments.length) }
}

/** Keys and types must be right: KDL is written by the tables of keys. */
function problemsOf({ source, root, problems }: SpecTree, fileName: string): Diagnostic[] {
  const report = createReport(source, fileName)
  for (const { code, place, message } of problems) report.error(code, place, message)
  readObject(WORKFLOW, root, '', report)
  return report.diagnostics().filter(({ severity }) => severity === 'error')
}

async function tryToWrite(
  { root }: SpecTree,
  to: SpecFormat,
  notes: ReturnType<typeof attachComments>,
): Promise<{ text: string } | { message: string }> {
  try {
    return { text: await writeSpec(root, to, notes) }
  } catch (error) {
    if (error instanceof Unwritable) return { message: error.message }
    throw error
  }
}
