import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Caller, Door } from '../../runner/exec/door.ts'
import { openFifoDoor } from '../../runner/exec/fifo-door.ts'
import { waitUntil } from '../launcher/harness.ts'

let directory: string
let path: string
let door: Door | undefined
let callers: Caller[]
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-door-'))
  path = join(directory, 'node.sock')
  callers = []
  door = await openFifoDoor(path, {
    onLines: lines => void callers.push(...lines.map(({ caller }) => caller)),
    onLost: reason => callers.push({ connection: Number.NaN, pid: reason.length }),
  })
})
afterEach(async () => {
  await door?.close({ clean: true })
  rmSync(directory, { recursive: true, force: true })
})

/** Asks as clients that live as long as this process, one in each slot. */
async function askFrom(slots: readonly number[]): Promise<void> {
  for (const slot of slots) {
    writeFileSync(`${path}.taken.${slot}`, String(process.pid))
    writeFileSync(`${path}.requests`, `${slot} ${process.pid} ask\n`)
  }
  await waitUntil(
    'all were heard',
    () => callers.length,
    heard => heard === slots.length,
  )
}

test('openFifoDoor() writes to no other file when its pipes were removed under clients and made anew', async () => {
  await askFrom([0, 1, 2, 3])
  for (const { connection } of callers) door!.send(connection, 'before')
  const madeAt = statSync(`${path}.pid`).ctimeMs
  rmSync(`${path}.requests`)
  await waitUntil(
    'the pipes are there again',
    () => statSync(`${path}.pid`, { throwIfNoEntry: false })?.ctimeMs ?? 0,
    changedAt => changedAt > madeAt,
  )
  // These get the numbers that the closed pipes had.
  const file = join(directory, 'bystander')
  const bystanders = Array.from({ length: 8 }, () => openSync(file, 'a'))
  for (const { connection } of callers) door!.send(connection, 'after')
  for (const bystander of bystanders) closeSync(bystander)
  expect(readFileSync(file, 'utf8')).toBe('')
})
