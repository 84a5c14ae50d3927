import { expect, it } from 'vitest'
import { mayPass, type Refusal } from '../../runner/client/reply.ts'
import { answersOf } from '../../runner/loop-api.ts'

const refused = (status: number | undefined): Refusal => ({ ok: false, status, code: 'x', message: 'no' })

/** 408: a server gives up on a request whose pieces a cut line holds back. */
it('answersOf() and mayPass() take silence, 408, 429 and 503 for trouble that passes', () => {
  for (const status of [undefined, 408, 429, 502, 503, 504]) {
    expect(answersOf({ embedded: false }).valueOf(refused(status)), String(status)).toBeUndefined()
    expect(mayPass(refused(status)), String(status)).toBe(true)
  }
})

it('answersOf() and mayPass() take any other refusal for the last word', () => {
  for (const status of [400, 404, 409, 422]) {
    expect(() => answersOf({ embedded: false }).valueOf(refused(status)), String(status)).toThrow('no')
    expect(mayPass(refused(status)), String(status)).toBe(false)
  }
})
