import { appendFileSync, closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Exited } from '../../../runner/launcher/types.ts'
import { createLogCap } from '../../../runner/logs/cap.ts'
import type { Watched } from '../../../runner/monitor/watch.ts'
import { makeDirectory } from '../../launcher/harness.ts'

const CAP = 8_192
const EXITED: Exited = { tag: 1, code: 0, startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0, strays: 0 }

function site() {
  const path = join(makeDirectory(), 'job.o')
  const job: Watched = {
    tag: 1,
    job: { id: 1, name: 'x', workflowId: 1, logPaths: [path, '/no/such/log'] },
    pid: 2,
    startedAtMs: 0,
  }
  const cap = createLogCap(CAP)
  return {
    path,
    look: () => cap.look(new Map([[job, []]]), 0),
    end: () => cap.ended?.(job, EXITED),
    read: () => readFileSync(path, 'utf8'),
  }
}

describe('createLogCap()', () => {
  test('leaves a log alone that is no larger than the cap', () => {
    const { path, look, end, read } = site()
    const text = 'x'.repeat(CAP)
    writeFileSync(path, text)
    look()
    end()
    expect(read()).toBe(text)
  })

  test('keeps the halves of a larger one, and says how much is missing', () => {
    const { path, end, read } = site()
    writeFileSync(path, `${'a'.repeat(CAP)}${'b'.repeat(1_000)}${'c'.repeat(CAP)}`)
    end()
    expect(read()).toBe(
      `${'a'.repeat(CAP / 2)}\n[headrace: ${CAP + 1_000} bytes are left out here]\n${'c'.repeat(CAP / 2)}`,
    )
  })

  test('gives back the space of one that still grows, and leaves no hole in the end', () => {
    const { path, look, end, read } = site()
    const file = openSync(path, 'w')
    const line = 'y'.repeat(999)
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 20; i++) writeSync(file, `${line}\n`)
      look()
      expect(statSync(path).blocks * 512).toBeLessThanOrEqual(4 * CAP + 20_000)
    }
    writeSync(file, 'the end\n')
    closeSync(file)
    end()
    expect(read()).toMatch(/^y+\n[\s\S]*\[headrace: \d+ bytes are left out here\]\n[\s\S]*the end\n$/)
    expect(read()).not.toContain('\0')
    expect(read().length).toBeLessThan(CAP + 100)
  })

  test('makes no log that is not there', () => {
    const { path, look, end } = site()
    look()
    end()
    expect(() => appendFileSync(path, '', { flag: 'r+' })).toThrow('ENOENT')
  })
})
