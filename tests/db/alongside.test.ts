import { expect, it } from 'vitest'
import { alongside } from '../../db/alongside.ts'
import { all, one, type Rows, run, type Statement, type Unit } from '../../db/unit.ts'

/** Runs a unit against a database that gives each statement's text back, and tells which statements went together. */
function play<T>(unit: Unit<T>): { value: T; trips: string[][] } {
  const trips: string[][] = []
  let step = unit.next([])
  while (!step.done) {
    const group: readonly Statement[] = step.value
    trips.push(group.map(statement => statement.sql))
    step = unit.next(group.map((statement): Rows => [{ sql: statement.sql }]))
  }
  return { value: step.value, trips }
}

function* looks(...names: string[]): Unit<string[]> {
  const seen: string[] = []
  for (const name of names) seen.push((yield* one<{ sql: string }>(name))!.sql)
  return seen
}

it('alongside() asks what its units want next together, as often as the longest asks', () => {
  const { value, trips } = play(alongside(looks('a1', 'a2', 'a3'), looks('b1'), looks(), looks('d1', 'd2')))
  expect(trips).toEqual([['a1', 'b1', 'd1'], ['a2', 'd2'], ['a3']])
  expect(value).toEqual([['a1', 'a2', 'a3'], ['b1'], [], ['d1', 'd2']])
})

it("alongside() sends what nobody reads in front of its unit's next look, and behind those of earlier units", () => {
  function* changes(): Unit<number> {
    yield* run('change 1')
    yield* run('change 2')
    const rows = yield* all('look')
    yield* run('change 3')
    return rows.length
  }
  const { value, trips } = play(alongside(looks('before'), changes(), looks('after', 'later')))
  expect(trips).toEqual([
    ['before', 'change 1', 'change 2', 'look', 'after'],
    ['change 3', 'later'],
  ])
  expect(value[1]).toBe(1)
})

it('alongside() passes on what a unit throws', () => {
  function* fails(): Unit<void> {
    yield* one('look')
    throw new Error('no')
  }
  expect(() => play(alongside(looks('a'), fails()))).toThrow('no')
})
