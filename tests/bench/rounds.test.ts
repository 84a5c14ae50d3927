import { expect, test } from 'vitest'
import { takeTurns } from '../../scripts/bench/rounds.ts'
import { type Contender, WrongResult } from '../../scripts/bench/types.ts'

/** Two contenders that write down when they run and in which directory. */
function makeContenders() {
  const calls: string[] = []
  const contender = (name: string): Contender => ({
    name,
    async run(directory) {
      calls.push(directory)
      return { run: calls.length }
    },
  })
  return { calls, contenders: [contender('a'), contender('b')] }
}

function makeOptions(pairs: number, warmUp: boolean) {
  let made = 0
  return { pairs, warmUp, directoryFor: ({ name }: Contender) => `${name}${++made}`, tell: () => {} }
}

test('takeTurns() alternates, each run in a directory of its own, and does not count the first round', async () => {
  const { calls, contenders } = makeContenders()
  const { runs, errors } = await takeTurns({ contenders, lines: [] }, makeOptions(2, true))
  expect(calls).toEqual(['a1', 'b2', 'a3', 'b4', 'a5', 'b6'])
  expect(errors).toEqual([])
  expect(runs).toEqual(
    new Map([
      ['a', [{ run: 3 }, { run: 5 }]],
      ['b', [{ run: 4 }, { run: 6 }]],
    ]),
  )
})

test('takeTurns() runs a plan that is too long to repeat once, without warm-up', async () => {
  const { calls, contenders } = makeContenders()
  await takeTurns({ contenders, lines: [], once: true }, makeOptions(5, true))
  expect(calls).toEqual(['a1', 'b2'])
})

test('takeTurns() drops who goes wrong, with all its runs, and goes on with the others', async () => {
  const { calls, contenders } = makeContenders()
  let runs = 0
  const wrong: Contender = {
    name: 'wrong',
    run: () => (++runs < 2 ? Promise.resolve({ run: 0 }) : Promise.reject(new WrongResult('2 jobs are missing'))),
  }
  const plan = { contenders: [contenders[0]!, wrong, contenders[1]!], lines: [] }
  const outcome = await takeTurns(plan, makeOptions(3, false))
  expect(outcome.errors).toEqual(['wrong: 2 jobs are missing'])
  expect([...outcome.runs].map(([name, own]) => [name, own.length])).toEqual([
    ['a', 3],
    ['b', 3],
  ])
  expect(calls).toEqual(['a1', 'b3', 'a4', 'b6', 'a7', 'b8'])
})
