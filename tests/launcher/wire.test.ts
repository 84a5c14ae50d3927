import { expect, test } from 'vitest'
import { encodeLaunch, encodeSignal, type Report, ReportReader } from '../../runner/launcher/wire.ts'

const frame = (...words: number[]) => {
  const bytes = Buffer.alloc(4 + 4 * words.length)
  bytes.writeUInt32LE(4 * words.length)
  for (const [index, word] of words.entries()) bytes.writeInt32LE(word, 4 + 4 * index)
  return bytes
}

test('ReportReader.read() yields the same reports however the bytes are cut', () => {
  const bytes = Buffer.concat([frame(1, 1), frame(4, 7, 1), frame(4, 8, 0), frame(4, 9, 1)])
  const whole: Report[] = new ReportReader().read(bytes)
  expect(whole).toEqual([
    { type: 'hello', version: 1 },
    { type: 'recalled', tag: 7, recalled: true },
    { type: 'recalled', tag: 8, recalled: false },
    { type: 'recalled', tag: 9, recalled: true },
  ])
  for (let size = 1; size < bytes.length; size += 1) {
    const reader = new ReportReader()
    const reports: Report[] = []
    for (let at = 0; at < bytes.length; at += size) reports.push(...reader.read(bytes.subarray(at, at + size)))
    expect(reports).toEqual(whole)
  }
})

test('ReportReader.read() refuses a type it does not know', () => {
  expect(() => new ReportReader().read(frame(99, 0))).toThrow('Cannot read a report of the launcher: its type is 99')
})

test('encodeLaunch() states the lengths of what follows', () => {
  const request = {
    tag: 5,
    label: 'a b',
    argv: ['echo', 'ü'],
    env: { A: '1', B: null },
    cwd: '/tmp',
    stdout: null,
    stderr: 'stdout',
    after: 4,
    cpus: [2, 3],
    job: { id: 1, name: 'j', workflowId: 1, memoryLimitBytes: 7 * 2 ** 20 - 1 },
  } as const
  const bytes = encodeLaunch(request)
  expect([...Array(11).keys()].map(index => bytes.readUInt32LE(4 * index))).toEqual([
    bytes.length - 4,
    1,
    5,
    3,
    4,
    2,
    2,
    2,
    7,
    2,
    3,
  ])
  expect(bytes.subarray(44).toString().split('\0')).toEqual(['a%20b', '/tmp', '', '', 'echo', 'ü', 'A=1', 'B', ''])
})

test('encodeSignal() sends the number of the signal', () => {
  expect(encodeSignal(6, 'SIGKILL')).toEqual(frame(2, 6, 9))
})
