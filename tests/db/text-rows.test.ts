import { afterAll, beforeAll, expect, it } from 'vitest'
import { allOfText, selectText } from '../../db/text-rows.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const VALUES = [
  null,
  0,
  -7,
  Number.MAX_SAFE_INTEGER,
  '',
  'null',
  '12',
  '[1,"2"]',
  'a "quoted" word, a \\ and a \t tab',
  'zwölf 🐢 \u2028 lines',
  'e\u0301',
]

it('rows that come as one text are those that come one by one', async () => {
  const list = JSON.stringify(VALUES)
  const select = selectText<{ at: number; value: unknown; again: unknown }>(
    { at: 'list.key', value: 'list.value', again: 'list.value' },
    'FROM json_each(?) AS list',
  )
  const rows = await t.db.read(() => allOfText(select, list))
  expect(rows).toEqual(await t.db.read(() => all('SELECT key AS at, value, value AS again FROM json_each(?)', list)))
  expect(rows.map(row => row.value)).toEqual(VALUES)
})

it('rows that come as one text keep the order of the query they are selected from', async () => {
  const numbers = Array.from({ length: 500 }, (_, k) => (k * 7919) % 503)
  const select = selectText<{ n: number }>(
    { n: 'n' },
    'FROM (SELECT value AS n FROM json_each(?) ORDER BY value DESC LIMIT 300)',
  )
  const rows = await t.db.read(() => allOfText(select, JSON.stringify(numbers)))
  expect(rows.map(row => row.n)).toEqual(numbers.sort((a, b) => b - a).slice(0, 300))
})

it('no rows are an empty text', async () => {
  const select = selectText<{ n: number }>({ n: 'value' }, 'FROM json_each(?) WHERE value > 9')
  expect(await t.db.read(() => allOfText(select, '[1]'))).toEqual([])
})
