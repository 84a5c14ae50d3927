import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LaunchRequest } from '../../runner/launcher/types.ts'
import { openSimulatedLauncher, SIMULATED_PROGRAM } from '../../runner/simulate/launcher.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date'], now: 0 })
})
afterEach(() => void vi.useRealTimers())

function open() {
  const told: string[] = []
  const launcher = openSimulatedLauncher({
    onStarted: started => void told.push(...started.map(({ tag, startedAtMs }) => `${tag} starts at ${startedAtMs}`)),
    onExited: exited =>
      void told.push(
        ...exited.map(
          ({ tag, code, signal, error, exitedAtMs }) => `${tag} ends at ${exitedAtMs}: ${code ?? signal ?? error}`,
        ),
      ),
    onLost: reason => void told.push(reason),
  })
  const launch = (tag: number, seconds: number, fields: Partial<LaunchRequest> = {}): void =>
    launcher.launch({
      tag,
      label: '',
      argv: [SIMULATED_PROGRAM, String(seconds)],
      env: {},
      stdout: null,
      stderr: null,
      ...fields,
    })
  return { launcher, launch, told }
}

test('openSimulatedLauncher() lets jobs take their time side by side, and followers begin when their leader ends', async () => {
  const { launch, told } = open()
  launch(1, 1)
  launch(2, 0.5)
  launch(3, 2, { after: 1 })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(told).toEqual([
    '1 starts at 0',
    '2 starts at 0',
    '2 ends at 500: 0',
    '3 starts at 1000',
    '1 ends at 1000: 0',
    '3 ends at 3000: 0',
  ])
})

test('openSimulatedLauncher() ends a job with the signal it gets, and knows no other program but one that fails', async () => {
  const { launcher, launch, told } = open()
  launch(1, 100)
  launch(2, 100)
  launch(3, 0, { argv: ['false'] })
  launch(4, 0, { argv: ['bash', '-c', 'true'] })
  await vi.advanceTimersByTimeAsync(10)
  launcher.signal(1, 'SIGTERM')
  launcher.signal(2, 'SIGKILL')
  launcher.signal(9, 'SIGKILL')
  await vi.advanceTimersByTimeAsync(10)
  expect(told.filter(line => line.includes('ends')).sort()).toEqual([
    '1 ends at 10: 15',
    '2 ends at 10: 9',
    '3 ends at 0: 1',
    '4 ends at 0: ENOENT',
  ])
})

test('openSimulatedLauncher() takes back what waits, and what waited for it waits for its leader', async () => {
  const { launcher, launch, told } = open()
  launch(1, 1)
  launch(2, 1, { after: 1 })
  launch(3, 1, { after: 2 })
  expect(await launcher.recall(2)).toBe(true)
  expect(await launcher.recall(1)).toBe(false)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(told.filter(line => line.startsWith('2'))).toEqual([])
  expect(told.at(-1)).toBe('3 ends at 2000: 0')
})

test('openSimulatedLauncher() tells nothing once it is closed', async () => {
  const { launcher, launch, told } = open()
  launch(1, 0)
  launch(2, 1)
  await launcher.close()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(told).toEqual([])
})
