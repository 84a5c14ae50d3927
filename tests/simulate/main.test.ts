import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseSimulateOptions } from '../../scripts/simulate/options.ts'

const MAIN = fileURLToPath(new URL('../../scripts/simulate/main.mjs', import.meta.url))

function simulate(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [MAIN, ...words], { timeout: 120_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

test('the simulator keeps every invariant with a small cluster, and a seed gives the same run again', {
  timeout: 120_000,
}, async () => {
  const words = ['--runners', '6', '--hours', '1', '--seeds', '1', '--seed', '7']
  const [first, second] = [await simulate(words), await simulate(words)]
  expect(first.code, first.stdout + first.stderr).toBe(0)
  expect(first.stdout).toContain('1 of 1 seeds kept every invariant')
  const withoutTime = (text: string): string => text.replace(/; [\d.]+ s$/m, '')
  expect(withoutTime(second.stdout)).toBe(withoutTime(first.stdout))
  const [, starts = 0, completions = 0] = /: (\d+) starts, (\d+) completions/.exec(first.stdout)?.map(Number) ?? []
  expect(starts).toBeGreaterThan(completions)
})

test('parseSimulateOptions() reads what it knows and names what it does not', () => {
  expect(parseSimulateOptions([], 2)).toEqual({ runners: 50, hours: 4, seeds: 20, seed: 1, processes: 2 })
  expect(parseSimulateOptions(['--runners', '1000', '--hours', '0.5', '--seed', '0'], 2)).toMatchObject({
    runners: 1000,
    hours: 0.5,
    seed: 0,
  })
  expect(parseSimulateOptions(['--runner', '3'], 2)).toBe('Cannot simulate as there is no option --runner')
  expect(parseSimulateOptions(['runners', '3'], 2)).toBe('Cannot simulate as there is no option runners')
  expect(parseSimulateOptions(['--seeds', '0'], 2)).toBe('Cannot read --seeds: current value is 0')
  expect(parseSimulateOptions(['--seeds'], 2)).toBe('Cannot read --seeds: current value is (empty)')
  expect(parseSimulateOptions(['--hours', 'x'], 2)).toBe('Cannot read --hours: current value is x')
})
