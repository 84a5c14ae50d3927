import { expect, test } from 'vitest'
import { disturbApi } from '../../runner/faults/api.ts'
import { createDice } from '../../runner/faults/dice.ts'
import { parseFaults } from '../../runner/faults/plan.ts'
import type { LoopApi } from '../../runner/loop.ts'
import { simulateControlPlane } from '../runner/simulated-control-plane.ts'

/** A control plane behind these faults, how often it was reached, and the pauses that were made. */
function behind(faults: string) {
  const plane = simulateControlPlane([{ id: 1 }], { latencyMs: 0 })
  let reached = 0
  const counted: LoopApi = {
    ...plane,
    summary() {
      reached++
      return plane.summary()
    },
    release(claims) {
      reached++
      return plane.release(claims)
    },
  }
  const pauses: number[] = []
  const api = disturbApi(counted, createDice({ chances: parseFaults(faults), seed: 1 }), async ms => {
    pauses.push(ms)
  })
  return { api, reached: () => reached, pauses }
}

test('disturbApi() with drop-request keeps a request from the control plane', async () => {
  const { api, reached } = behind('drop-request=1')
  expect(await api.summary()).toBeUndefined()
  expect(await api.release([])).toBe(false)
  expect(reached()).toBe(0)
})

test('disturbApi() with drop-reply lets a request take effect and loses its answer', async () => {
  const { api, reached } = behind('drop-reply=1')
  expect(await api.summary()).toBeUndefined()
  expect(await api.release([])).toBe(false)
  expect(reached()).toBe(2)
})

test('disturbApi() with repeat-request has it arrive twice and gives the first answer', async () => {
  const { api, reached } = behind('repeat-request=1')
  expect(await api.summary()).toMatchObject({ total_jobs: 1 })
  expect(reached()).toBe(2)
})

test('disturbApi() with delay-reply gives the answer late, at most by 2 s', async () => {
  const { api, pauses } = behind('delay-reply=1')
  for (let n = 0; n < 20; n++) expect(await api.summary()).toMatchObject({ total_jobs: 1 })
  expect(pauses).toHaveLength(20)
  expect(Math.max(...pauses)).toBeLessThan(2_000)
  expect(new Set(pauses).size).toBe(20)
})
