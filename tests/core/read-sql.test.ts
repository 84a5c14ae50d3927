import { expect, it } from 'vitest'
import { faultOfReadSql } from '../../api/core/read-sql.ts'

it.each([
  'SELECT 1',
  ' select 1 ; ',
  'WITH x AS (SELECT 1) SELECT * FROM x',
  'VALUES (1), (2)',
  'SELECT \';\' AS a, "b;c" FROM [d;e] -- ; the end',
  '/* first; */ SELECT 1 /* last; */',
  "SELECT 'it''s; fine'",
])('faultOfReadSql() takes %s', sql => {
  expect(faultOfReadSql(sql)).toBeUndefined()
})

it.each([
  '',
  ';',
  'DELETE FROM workflow',
  'PRAGMA query_only = OFF',
  'ATTACH "x" AS y',
  'SELECT 1; DELETE FROM workflow',
  "SELECT ''; DELETE FROM workflow --'",
  'SELECT 1 /* ; */ ; SELECT 2',
  '-- SELECT 1\nDROP TABLE workflow',
  '/* SELECT */ UPDATE workflow SET name = 1',
  'EXPLAIN SELECT 1',
  'selected',
])('faultOfReadSql() refuses %s', sql => {
  expect(faultOfReadSql(sql)).toMatch(/^it must/)
})
