import { expect, test } from 'vitest'
import { createLedger } from '../../runner/capacity/ledger.ts'
import type { Door } from '../../runner/exec/door.ts'
import { OVERTAKEN_AT_MOST_MS } from '../../runner/exec/queue.ts'
import type { LaunchRecord } from '../../runner/exec/record.ts'
import { Resident } from '../../runner/exec/resident.ts'

/** A resident part over a door that keeps what is said; connection n belongs to process 1000 + n. */
function openResident(cpus = 4) {
  const ledger = createLedger({ cores: [...Array(cpus).keys()], memoryBytes: 1000, gpus: [] })
  const said: [connection: number, line: string][] = []
  const records: LaunchRecord[] = []
  const ended: { ids: string[]; group: number; done(): void }[] = []
  const door: Door = {
    kind: 'native',
    isInherited: false,
    send: (connection, line) => void said.push([connection, line]),
    drop: connection => void said.push([connection, 'drop']),
    close: async () => {},
  }
  let now = 1000
  let rooms = 0
  const resident = new Resident({
    path: '/somewhere/node.sock',
    ledger,
    bind: true,
    clock: () => now,
    workflowId: 5,
    onRecord: record => void records.push(record),
    recordCounts: () => ({ waiting: 1, dropped: 2 }),
    endProcesses: (ids, group) => new Promise(done => void ended.push({ ids: [...ids], group, done: () => done() })),
    onRoom: () => void rooms++,
  })
  resident.use(door)
  return {
    resident,
    ledger,
    said,
    records,
    ended,
    say: (connection: number, ...lines: string[]) =>
      resident.handle(lines.map(line => ({ caller: { connection, pid: 1000 + connection }, line }))),
    /** The answers since the last look. */
    heard: () => said.splice(0),
    pass: (ms: number) => {
      now += ms
    },
    rooms: () => rooms,
    idOf: (line: string | undefined) => line!.split(' ')[1]!,
  }
}

test('Resident lends, records what ended, and lends on', () => {
  const t = openResident(2)
  t.say(1, 'ask 1 2 0 0 - - first command')
  t.say(2, 'ask 1 1 0 0 - - second')
  const [[connection, line]] = t.heard() as [[number, string]]
  expect([connection, line]).toEqual([1, expect.stringMatching(/^grant x[0-9a-f]{12}\.[0-9a-f]{8}-1001-1 1 0,1 -$/)])
  t.say(1, 'end 3 1100.5 1200.5 10 20 4096')
  expect(t.heard()).toEqual([[2, expect.stringMatching(/^grant \S+ 1 0 -$/)]])
  expect(t.records).toEqual([
    {
      id: t.idOf(line),
      command: 'first command',
      return_code: 3,
      cpus: 2,
      cores: [0, 1],
      gpus: [],
      memory_bytes: 0,
      asked_at: 1000,
      started_at: 1100.5,
      exited_at: 1200.5,
      user_ms: 10,
      system_ms: 20,
      peak_memory_bytes: 4096,
      workflow_id: 5,
    },
  ])
})

test('Resident keeps no record where none is wanted, and names the workflow that is', () => {
  const t = openResident()
  t.say(1, 'ask 1 1 0 0 - none a', 'end 0 1 2 0 0 0')
  t.say(2, 'ask 1 1 0 0 - 9 b', 'end 0 1 2 0 0 0')
  expect(t.records.map(({ command, workflow_id }) => [command, workflow_id])).toEqual([['b', 9]])
})

test('S84 Resident refuses at once what the node can never lend', () => {
  const t = openResident(8)
  t.say(1, 'ask 1 16 0 0 - - a')
  t.say(2, 'ask 1 1 1 0 - - a')
  t.say(3, 'ask 1 1 0 2000 - - a')
  expect(t.heard()).toEqual([
    [1, 'refuse 125 Cannot launch as this node has 8 cores: wanted are 16'],
    [1, 'drop'],
    [2, 'refuse 125 Cannot launch as this node has 0 GPUs: wanted are 1'],
    [2, 'drop'],
    [3, 'refuse 125 Cannot launch as this node has 1000 bytes of memory: wanted are 2000'],
    [3, 'drop'],
  ])
})

test('Resident holds the cores of a client that died until its processes are gone', async () => {
  const t = openResident(2)
  t.say(1, 'ask 1 2 0 0 - - a')
  const id = t.idOf(t.heard()[0]![1])
  t.say(2, 'ask 1 1 0 0 - - b')
  t.say(1, 'gone 77')
  expect(t.ended).toMatchObject([{ ids: [id], group: 77 }])
  expect(t.heard()).toEqual([])
  t.ended[0]!.done()
  await new Promise(setImmediate)
  expect(t.heard()).toEqual([[2, expect.stringMatching(/^grant/)]])
  expect(t.records).toMatchObject([{ command: 'a', return_code: 137 }])
})

test('Resident passes on when who waits in front goes away', () => {
  const t = openResident(2)
  t.say(1, 'ask 1 1 0 0 - - a')
  t.say(2, 'ask 1 2 0 0 - - b')
  t.pass(OVERTAKEN_AT_MOST_MS)
  t.say(3, 'ask 1 1 0 0 - - c')
  expect(t.heard().map(([connection]) => connection)).toEqual([1])
  t.say(2, 'gone 0')
  expect(t.heard().map(([connection]) => connection)).toEqual([3])
})

test('Resident lends inside a launch what that one holds, and sends away who waits there at its end', () => {
  const t = openResident(4)
  t.say(1, 'ask 1 3 0 0 - - outer')
  const outer = t.idOf(t.heard()[0]![1])
  t.say(2, `ask 1 2 0 500 ${outer} - inner`)
  t.say(3, `ask 1 2 0 0 ${outer} - waits`)
  t.say(4, `ask 1 4 0 0 ${outer} - larger`)
  expect(t.heard()).toEqual([
    [2, expect.stringMatching(/^grant \S+ 1 0,1 -$/)],
    [4, 'refuse 125 Cannot launch as the launch or job around it has 3 cores: wanted are 4'],
    [4, 'drop'],
  ])
  t.say(1, 'end 0 1 2 0 0 0')
  expect(t.heard()).toEqual([
    [3, 'refuse 125 Cannot launch as the launch around it has ended'],
    [3, 'drop'],
  ])
  expect(t.ledger.free().cpus).toBe(4)
})

test('Resident lends inside a job what the job holds', () => {
  const t = openResident(4)
  const jobs = t.resident.shareWithJobs()
  const grant = jobs.reserve({ cpus: 2, memoryBytes: 0, gpus: 0 })!
  const { HEADRACE_GRANT: id } = t.resident.lendWithinJob(7, grant)
  t.say(1, `ask 1 2 0 0 ${id} - inner`)
  t.say(2, `ask 1 3 0 0 - - outside`)
  expect(t.heard()).toEqual([[1, expect.stringMatching(/^grant \S+ 1 0,1 -$/)]])
  t.resident.forgetJob(7)
  t.say(3, `ask 1 2 0 0 ${id} - after its end`)
  expect(t.heard()).toEqual([[3, expect.stringMatching(/^grant \S+ 1 2,3 -$/)]])
})

test('S87 jobs see what launches leave, and nothing when a launch has waited for the bound', () => {
  const t = openResident(8)
  const jobs = t.resident.shareWithJobs()
  const grant = jobs.reserve({ cpus: 6, memoryBytes: 0, gpus: 0 })!
  t.say(1, 'ask 1 2 0 0 - - a')
  t.say(2, 'ask 1 1 0 0 - - b')
  expect(t.heard().map(([connection]) => connection)).toEqual([1])
  expect(jobs.free().cpus).toBe(0)
  t.say(1, 'end 0 1 2 0 0 0')
  t.say(3, 'ask 1 8 0 0 - - whole')
  expect(t.heard().map(([connection]) => connection)).toEqual([2])
  expect(jobs.free().cpus).toBe(1)
  t.pass(OVERTAKEN_AT_MOST_MS)
  expect(jobs.free()).toEqual({ cpus: 0, memoryBytes: 0, gpus: 0, slots: 0 })
  expect(jobs.reserve({ cpus: 1, memoryBytes: 0, gpus: 0 })).toBeUndefined()
  expect(jobs.inherit(grant, { cpus: 1, memoryBytes: 0, gpus: 0 })).toBeUndefined()
})

test('S87 what a job gives back goes to who waits, and jobs are told when launches give back', async () => {
  const t = openResident(2)
  const jobs = t.resident.shareWithJobs()
  const grant = jobs.reserve({ cpus: 2, memoryBytes: 0, gpus: 0 })!
  t.say(1, 'ask 1 2 0 0 - - a')
  jobs.release(grant)
  await new Promise(setImmediate)
  expect(t.heard().map(([connection]) => connection)).toEqual([1])
  expect(jobs.free().slots).toBe(0)
  t.say(1, 'end 0 1 2 0 0 0')
  await expect.poll(() => t.rooms()).toBe(1)
  expect(jobs.free().cpus).toBe(2)
})

test('Resident counts what a client of a former one holds, until its end', () => {
  const t = openResident(4)
  t.say(1, 'ask 1 1 0 0 - none a', 'end 0 1 2 0 0 0')
  const [prefix] = t.idOf(t.heard()[0]![1]).split('.')
  t.say(2, `adopt 1 ${prefix}.00000000-5-1 1,2 - 400 99 900 - - former`)
  expect(t.ledger.free()).toMatchObject({ cpus: 2, memoryBytes: 600 })
  t.say(3, 'adopt 1 x.other-5-1 0 - 0 0 900 - - of another place')
  expect(t.heard()).toEqual([
    [3, 'refuse 125 Cannot adopt a launch that is none of this runner'],
    [3, 'drop'],
  ])
  t.say(4, 'ask 1 2 0 0 - - b')
  expect(t.heard()).toEqual([[4, expect.stringMatching(/^grant \S+ 1 0,3 -$/)]])
  t.say(2, 'end 5 900 1000 0 0 0')
  expect(t.ledger.free()).toMatchObject({ cpus: 2, memoryBytes: 1000 })
  expect(t.records).toMatchObject([{ command: 'former', return_code: 5, cores: [1, 2] }])
})

test('loseDoor() forgets who waited and counts who runs, who is adopted at the next door', () => {
  const t = openResident(4)
  t.say(1, 'ask 1 3 0 0 - - runs')
  const id = t.idOf(t.heard()[0]![1])
  t.say(2, 'ask 1 2 0 0 - - waits')
  t.resident.loseDoor()
  expect(t.ledger.free().cpus).toBe(1)
  expect(t.resident.status()).toMatchObject({ holding: [], waiting: [] })
  t.say(9, `adopt 1 ${id} 0,1,2 - 0 99 900 - - runs`)
  expect(t.ledger.free().cpus).toBe(1)
  t.say(9, 'end 0 1 2 0 0 0')
  expect(t.ledger.free().cpus).toBe(4)
  t.resident.close()
})

test('close() sends away who waits', () => {
  const t = openResident(1)
  t.say(1, 'ask 1 1 0 0 - - a')
  t.say(2, 'ask 1 1 0 0 - - b')
  t.heard()
  t.resident.close()
  expect(t.heard()).toEqual([
    [2, 'refuse 125 Cannot launch as the runner has ended: `runner node` starts one'],
    [2, 'drop'],
  ])
})

test('status() shows who holds and who waits', () => {
  const t = openResident(2)
  t.say(1, 'ask 1 2 0 100 - - holds')
  t.say(2, 'ask 1 1 0 0 - - waits')
  expect(t.resident.status()).toMatchObject({
    total: { cpus: 2, memory_bytes: 1000, gpus: 0 },
    free: { cpus: 0, memory_bytes: 900 },
    holding: [{ pid: 1001, command: 'holds', cores: [0, 1], memory_bytes: 100, started_at: 1000 }],
    waiting: [{ pid: 1002, command: 'waits', cpus: 1, asked_at: 1000 }],
    launches: 2,
    records: { waiting: 1, dropped: 2 },
  })
})
