import { getTableName, is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as schema from '../../db/schema.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const tables = Object.values(schema).filter(value => is(value, SQLiteTable))

it('schema.ts describes every table that the migrations make, and no other', async () => {
  const made = await t.db.read(() =>
    all<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`),
  )
  const others = ['headrace_migration']
  expect(tables.map(getTableName).sort()).toEqual(
    made
      .map(row => row.name)
      .filter(name => !others.includes(name))
      .sort(),
  )
})

it.each(tables.map(table => [getTableName(table), table] as const))(
  'schema.ts describes the columns of %s',
  async (name, table) => {
    type Column = { name: string; type: string; notnull: number; pk: number }
    const made = await t.db.read(() =>
      all<Column>(`SELECT name, type, "notnull", pk FROM pragma_table_info('${name}')`),
    )
    const described = getTableConfig(table).columns.map(column => ({
      name: column.name,
      type: column.getSQLType().toUpperCase(),
      required: column.notNull || column.primary,
    }))
    expect(described).toEqual(
      made.map(column => ({ name: column.name, type: column.type, required: column.notnull === 1 || column.pk > 0 })),
    )
  },
)
