import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readProcess } from '../../runner/launcher/processes.ts'
import {
  clearNodeDirectory,
  type NodeDirectory,
  openNodeDirectory,
  readNodeState,
  stillRuns,
  writeNodeState,
} from '../../runner/node-state.ts'

let outputDir: string
let directory: NodeDirectory
beforeEach(() => {
  outputDir = mkdtempSync(join(tmpdir(), 'headrace-node-state-'))
  directory = openNodeDirectory(outputDir)
})
afterEach(() => rmSync(outputDir, { recursive: true }))

const FACTS = { nodes: [{ computeNodeId: 5, workflowId: 6 }], cwd: '/work' }

/** What another process, which has ended or not, would have left. */
function leaveStateOf(pid: number, pidStartTicks?: number): void {
  writeFileSync(directory.statePath, JSON.stringify({ pid, pidStartTicks, ...FACTS }))
}

test('openNodeDirectory() gives each host a directory of its own', () => {
  expect(directory.path).toBe(join(outputDir, 'runner', hostname()))
})

test('readNodeState() reads what writeNodeState() wrote, and nothing after clearNodeDirectory()', () => {
  writeNodeState(directory, FACTS)
  writeFileSync(directory.journal, 'x')
  expect(readNodeState(directory)).toMatchObject({ pid: process.pid, ...FACTS })
  clearNodeDirectory(directory)
  expect(readNodeState(directory)).toBeUndefined()
  expect(existsSync(directory.journal)).toBe(false)
})

test('readNodeState() takes a torn file for none', () => {
  writeFileSync(directory.statePath, '{"pid": 12')
  expect(readNodeState(directory)).toBeUndefined()
})

test('stillRuns() tells a living runner from one that ended and from a stranger with its pid', async () => {
  const other = spawn('sleep', ['60'])
  await once(other, 'spawn')
  const pid = other.pid!
  const startTicks = readProcess(pid)!.startTicks
  leaveStateOf(pid, startTicks)
  expect(stillRuns(readNodeState(directory)!)).toBe(true)
  leaveStateOf(pid, startTicks - 1)
  expect(stillRuns(readNodeState(directory)!)).toBe(false)
  leaveStateOf(pid, startTicks)
  other.kill('SIGKILL')
  await once(other, 'exit')
  expect(stillRuns(readNodeState(directory)!)).toBe(false)
})
