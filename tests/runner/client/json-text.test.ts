import { expect, it } from 'vitest'
import { jsonText } from '../../../runner/client/json-text.ts'

it.each([
  ['\ud83d', '\ufffd'],
  ['\ude00 said the job', '\ufffd said the job'],
  ['\ud83d\ud83d\ude00', '\ufffd\ud83d\ude00'],
  ['\\ud83d', '\\ud83d'],
  ['\\\ud83d', '\\\ufffd'],
  ['\udc00\udc00', '\ufffd\ufffd'],
])('jsonText() replaces halves of characters: %j', (text, sent) => {
  expect(JSON.parse(jsonText({ [text]: [text] }))).toEqual({ [sent]: [sent] })
})
