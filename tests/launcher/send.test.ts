import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { endInput, sendTogether } from '../../runner/launcher/send.ts'

function listen() {
  const chunks: string[] = []
  const input = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk.toString())
      done()
    },
  })
  return { input, chunks }
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

test('sendTogether() writes what is sent in one turn as one chunk, in order', async () => {
  const { input, chunks } = listen()
  for (const text of ['a', 'b', 'c']) sendTogether(input, text)
  await nextTurn()
  sendTogether(input, Buffer.from('d'))
  await nextTurn()
  expect(chunks).toEqual(['abc', 'd'])
})

test('endInput() closes behind what was sent in the same turn', async () => {
  const { input, chunks } = listen()
  sendTogether(input, 'last words')
  endInput(input)
  await nextTurn()
  expect(chunks).toEqual(['last words'])
  expect(input.writableFinished).toBe(true)
})

test('sendTogether() says nothing to an input that is closed', async () => {
  const { input, chunks } = listen()
  input.destroy()
  sendTogether(input, 'too late')
  await nextTurn()
  expect(chunks).toEqual([])
})

test('sendTogether() writes before what the sender does next, although nobody has left the thread in the meantime', async () => {
  const { input, chunks } = listen()
  const launch = async () => {
    sendTogether(input, 'a')
    sendTogether(input, 'b')
  }
  await launch()
  expect(chunks).toEqual(['ab'])
})
