import type { ScriptFile } from './types.ts'

/** The files of a submission as one text, for a dry run; each has its name above it when there are several. */
export function scriptText(files: readonly ScriptFile[]): string {
  if (files.length === 1) return files[0]!.text
  return files.map(({ name, text }) => `==> ${name} <==\n${text}`).join('\n')
}
