import { expect, test } from 'vitest'
import { createDice } from '../../runner/faults/dice.ts'
import { describeFaults, FAULTS, parseFaults } from '../../runner/faults/plan.ts'
import { describeTrial, parseTrial } from '../../runner/trial.ts'

const seeded = (text: string, seed = 1) => ({ chances: parseFaults(text), seed })

test('parseFaults() reads names and chances', () => {
  expect([...parseFaults('kill-job=0.01, drop-reply=.05,delay-reply=1')]).toEqual([
    ['kill-job', 0.01],
    ['drop-reply', 0.05],
    ['delay-reply', 1],
  ])
  for (const name of Object.keys(FAULTS)) expect([...parseFaults(`${name}=0.5`).keys()]).toEqual([name])
})

test.each([
  ['kil-job=0.1', 'Cannot read --fault as there is no fault kil-job: did you mean kill-job?'],
  ['drop_reply=0.1', 'did you mean drop-reply?'],
  ['rain=0.1', 'there are kill-job, fail-job,'],
  ['', 'there is no fault (empty)'],
  ['kill-job=0.1,', 'there is no fault (empty)'],
  ['toString=1', 'there is no fault toString'],
  ['kill-job', 'the chance of kill-job must be a number from 0 to 1: current value is (empty)'],
  ['kill-job=1.1', 'current value is 1.1'],
  ['kill-job=-1', 'current value is -1'],
  ['kill-job=0x1', 'current value is 0x1'],
  ['kill-job=0.1=2', 'current value is 0.1=2'],
  ['kill-job=0.1,kill-job=0.2', 'kill-job is given twice'],
])('parseFaults() refuses %s in one line, with exit code 2', (text, message) => {
  expect(() => parseFaults(text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  expect(() => parseFaults(text)).toThrow(message)
})

test('createDice() hits as often as it was told, the same ones for the same seed, others for another', () => {
  const whom = Array.from({ length: 10_000 }, (_, index) => `${index}.1`)
  const hitBy = (seed: number, fault: 'kill-job' | 'drop-reply' = 'kill-job') => {
    const dice = createDice(seeded('kill-job=0.1,drop-reply=0.1', seed))
    return whom.filter(one => dice.hits(fault, one))
  }
  expect(hitBy(1).length / whom.length).toBeGreaterThan(0.08)
  expect(hitBy(1).length / whom.length).toBeLessThan(0.12)
  expect(hitBy(1)).toEqual(hitBy(1))
  expect(hitBy(1)).not.toEqual(hitBy(2))
  // One fault tells nothing about another.
  expect(hitBy(1)).not.toEqual(hitBy(1, 'drop-reply'))
  const none = createDice(seeded('kill-job=0,fail-job=1'))
  expect(whom.filter(one => none.hits('kill-job', one))).toEqual([])
  expect(whom.every(one => none.hits('fail-job', one))).toBe(true)
})

test('parseTrial() takes a seed of its own when none is given, and the line it makes says which', () => {
  expect(parseTrial({})).toBeUndefined()
  const trial = parseTrial({ fault: 'kill-job=0.25' })!
  expect(describeTrial(trial)).toBe(
    `A trial: faults: kill-job 0.25; --seed ${trial.faults!.seed} gives the same chances again`,
  )
  expect(parseTrial({ fault: 'kill-job=0.25', seed: '7' })!.faults).toEqual(seeded('kill-job=0.25', 7))
  expect(describeFaults(seeded('kill-job=0.1,drop-reply=0.2'))).toBe('kill-job 0.1, drop-reply 0.2')
})

test('parseTrial() refuses options that do not go together', () => {
  expect(() => parseTrial({ seed: '1' })).toThrow('Cannot use --seed without --fault or --simulate')
  expect(() => parseTrial({ 'simulate-time': 'fixed' })).toThrow('Cannot use --simulate-time without --simulate')
  expect(() => parseTrial({ simulate: true, seed: 'x' })).toThrow('Cannot read --seed')
})
