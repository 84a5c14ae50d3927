import { type Column, renderTable } from '../../runner/screen/table.ts'
import type { Row } from './rows.ts'
import type { Spread } from './statistics.ts'
import type { Bound } from './types.ts'

const COLUMNS: readonly Column<Row>[] = [
  { title: 'CONTENDER', value: row => row.contender },
  { title: 'FIGURE', value: row => row.figure },
  { title: 'MEDIAN', value: row => number(row.value.median), align: 'right' },
  { title: 'RANGE', value: row => range(row.value), align: 'right' },
  { title: 'UNIT', value: row => row.unit },
  { title: 'TARGET', value: row => judgement(row.value) },
  { title: 'RATIO', value: row => row.ratio && number(row.ratio.median), align: 'right' },
  { title: 'RANGE', value: row => row.ratio && range(row.ratio), align: 'right' },
  { title: 'TO', value: row => row.ratio?.to },
  { title: 'TARGET', value: row => row.ratio && judgement(row.ratio) },
]

/** A table goes into a file as often as onto a screen: nothing is cut. */
const ANY_WIDTH = Number.MAX_SAFE_INTEGER

export const renderRows = (rows: readonly Row[]): string => renderTable(COLUMNS, rows, ANY_WIDTH)

/** Three digits are more than the noise leaves. */
function number(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

const range = ({ least, most }: Spread): string => `${number(least)}–${number(most)}`

function judgement({ target, reached }: { target?: Bound; reached?: boolean }): string {
  if (target === undefined) return ''
  const bound =
    'least' in target ? `≥ ${target.least.toLocaleString('en-US')}` : `≤ ${target.most.toLocaleString('en-US')}`
  return `${bound} ${reached ? 'yes' : 'no'}`
}
