import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeRunDirectory, placesIn } from '../../runner/pipe/directory.ts'
import { readFrozen, unknownKinds, writeFrozen } from '../../runner/pipe/frozen.ts'
import { formatResult, readResult } from '../../runner/pipe/result-file.ts'
import type { PipeMember, PipeRun } from '../../runner/pipe/wire.ts'
import { writeWhole } from '../../runner/pipe/write-whole.ts'
import type { CompletionEntry } from '../../runner/wire.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-pipe-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const run = (path: string) =>
  ({
    id: 4,
    workflow_id: 9,
    scheduler: 'slurm',
    directory: path,
    key: { family: 'opt' },
    spec: { url: 'http://login1:8080/v1' },
    width: 3,
    walltime_seconds: 3600,
  }) as unknown as PipeRun

const members: PipeMember[] = [1, 2, 3].map(id => ({
  job_id: id,
  name: `job_${id}`,
  status: 'ready',
  attempt_id: 1,
  command: `echo ${id}`,
  family: 'opt',
}))

describe('makeRunDirectory()', () => {
  it('numbers runs from 1, goes on behind the last, and never gives one twice', () => {
    const made = [makeRunDirectory(directory), makeRunDirectory(directory)]
    mkdirSync(join(directory, 'pipe', 'run_0041'))
    mkdirSync(join(directory, 'pipe', 'notes'))
    made.push(makeRunDirectory(directory))
    expect(made.map(path => path.slice(directory.length))).toEqual([
      '/pipe/run_0001',
      '/pipe/run_0002',
      '/pipe/run_0042',
    ])
  })

  it('keeps others out, of what is written into it too', () => {
    const made = makeRunDirectory(join(directory, 'output'))
    writeFrozen(run(made), members)
    const paths = [join(directory, 'output'), made, placesIn(made).members, placesIn(made).run]
    expect(paths.map(path => statSync(path).mode & 0o077)).toEqual([0, 0, 0, 0])
  })

  it('says what it cannot make', () => {
    writeFileSync(join(directory, 'pipe'), '')
    expect(() => makeRunDirectory(directory)).toThrow(/^Cannot make a run directory below/)
  })
})

describe('readFrozen()', () => {
  it('reads what was written, the same when it is written again', () => {
    writeFrozen(run(directory), members)
    const before = readFileSync(placesIn(directory).members, 'utf8')
    writeFrozen(run(directory), members)
    expect(readFileSync(placesIn(directory).members, 'utf8')).toBe(before)
    expect(readFrozen(directory)).toMatchObject({
      run: { id: 4, workflow_id: 9, family: 'opt' },
      members: [{ job_id: 1, kind: 'command', command: 'echo 1' }, { job_id: 2 }, { job_id: 3 }],
      unreadable: [],
    })
  })

  it('S38 reads a directory wherever it was moved to', () => {
    const first = join(directory, 'first')
    writeFrozen(run(first), members)
    renameSync(first, join(directory, 'moved'))
    expect(readFrozen(join(directory, 'moved'))).toMatchObject({ run: { id: 4 }, unreadable: [] })
  })

  it('S38 gives defaults for what is missing, loads an unknown kind, and lists each line it cannot read', () => {
    writeFrozen(run(directory), members)
    appendFileSync(
      placesIn(directory).members,
      '{"job_id": 7}\n{"job_id": 8, "kind": "orca-input"}\n{"job_id": 9, "na\nnull\n',
    )
    const found = readFrozen(directory)
    expect(found.members.slice(3)).toEqual([
      { job_id: 7, name: '', kind: 'command', command: '' },
      { job_id: 8, name: '', kind: 'orca-input', command: '' },
    ])
    expect(found.unreadable).toEqual(['members.jsonl:6', 'members.jsonl:7'])
    expect([...unknownKinds(directory)]).toEqual([[8, 'orca-input']])
  })

  it('lists whole files that are missing or torn', () => {
    expect(readFrozen(directory)).toEqual({ run: undefined, members: [], unreadable: ['run.json', 'members.jsonl'] })
    writeFrozen(run(directory), members)
    writeFileSync(placesIn(directory).run, '{"id": 4, "workfl')
    expect(readFrozen(directory)).toMatchObject({ run: undefined, unreadable: ['run.json'] })
  })
})

describe('writeWhole()', () => {
  it('S40 leaves the old text when it cannot write the new one, and no other file after it could', () => {
    const path = join(directory, 'deep', 'result.json')
    writeWhole(path, 'old', { sync: true })
    mkdirSync(`${path}.${process.pid}.tmp`)
    expect(() => writeWhole(path, 'new')).toThrow()
    expect(readFileSync(path, 'utf8')).toBe('old')
    rmSync(`${path}.${process.pid}.tmp`, { recursive: true })
    writeWhole(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(readdirSync(join(directory, 'deep'))).toEqual(['result.json'])
  })
})

describe('readResult()', () => {
  const completion = {
    job_id: 3,
    status: 'completed',
    run_id: 0,
    claim_token: 't',
    result: { attempt_id: 1, return_code: 0 },
  } as unknown as CompletionEntry
  const text = formatResult({ version: 1, pipe_run_id: 4, worker: 2, host: 'n1', completion })

  it('reads what was written, and nothing of any part of it', () => {
    const path = join(directory, 'result.json')
    writeFileSync(path, text)
    expect(readResult(path)).toEqual(completion)
    for (const length of [0, 1, text.length >> 1, text.trimEnd().length - 1]) {
      writeFileSync(path, text.slice(0, length))
      expect(readResult(path)).toBeUndefined()
    }
  })

  it.each([
    ['another version', '"version": 1', '"version": 2'],
    ['no exit code', '"return_code": 0', '"other": 0'],
    ['no token', '"claim_token": "t"', '"claim_token": null'],
  ])('does not take %s for a result', (_, from, to) => {
    const path = join(directory, 'result.json')
    writeFileSync(path, text.replace(from, to))
    expect(existsSync(path)).toBe(true)
    expect(readResult(path)).toBeUndefined()
  })
})
