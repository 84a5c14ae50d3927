import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../scripts/simulate/main.mjs', import.meta.url))
const WORDS = ['--runners', '50', '--hours', '4', '--seeds', '20']
/** HEADRACE_SEED names the first seed of a run that is to be repeated. */
const FIRST = process.env.HEADRACE_SEED ?? '1'

test('20 seeds of 50 runners over 4 hours keep every invariant under losses, cuts, skew, repeats and kills', async () => {
  const { code, text } = await new Promise<{ code: number; text: string }>(resolve => {
    const child = execFile(process.execPath, [MAIN, ...WORDS, '--seed', FIRST], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    )
  })
  expect(code, text).toBe(0)
  expect(text).toContain('20 of 20 seeds kept every invariant')
})
