import { join } from 'node:path'
import { run } from './process.ts'
import type { Setting } from './types.ts'

/**
 * Runs one of the helper programs in a process of its own, so that neither its work nor its memory falls on the benchmark or on what
 * is measured. Input and output are JSON.
 */
export async function runHelper<Input, Output>(setting: Setting, name: string, input: Input): Promise<Output> {
  const words = [join(setting.bundle, `programs/${name}.mjs`), JSON.stringify(input)]
  const { stdout } = await run(process.execPath, words, { cwd: setting.bundle })
  return JSON.parse(stdout) as Output
}
