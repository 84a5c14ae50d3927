import { clean, cutTo, padEnd, padStart, widthOf } from './text.ts'

export type Column<T> = {
  title: string
  value(row: T): string | number | null | undefined
  /** Numbers stand at the right edge. */
  align?: 'right'
}

/** A column is cut to make room, but not below this. */
const NARROWEST = 4

/** Lays out rows in columns two blanks apart; where the screen is too narrow the widest columns are cut, with a mark. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], screenWidth: number): string {
  const cells = rows.map(row => columns.map(({ value }) => clean(String(value(row) ?? ''))))
  const titles = columns.map(({ title }) => title)
  const widths = shrink(
    titles.map((title, index) => Math.max(widthOf(title), ...cells.map(row => widthOf(row[index]!)))),
    screenWidth - 2 * (columns.length - 1),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => {
        const width = widths[index]!
        return columns[index]!.align === 'right'
          ? padStart(cutTo(text, width), width)
          : padEnd(cutTo(text, width), width)
      })
      .join('  ')
      .trimEnd()
  return `${[titles, ...cells].map(line).join('\n')}\n`
}

/** Takes from the widest until all fit or none can give more. */
function shrink(widths: readonly number[], room: number): number[] {
  const result = [...widths]
  let excess = result.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const widest = result.indexOf(Math.max(...result))
    if (result[widest]! <= NARROWEST) break
    result[widest]!--
    excess--
  }
  return result
}
