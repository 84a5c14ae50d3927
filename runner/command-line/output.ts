import { createPaint, type Paint, wantsColor } from '../screen/color.ts'

/** Writes results to standard output. Everything else (progress, notes, errors) goes to standard error. */

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** One document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** A list in the form that every command of ours has. */
export function printJsonList(items: readonly unknown[]): void {
  printJson({ items, count: items.length })
}

/** Columns of the screen; a pipe has no end, so nothing is cut there. */
export function screenWidth(): number {
  return process.stdout.columns || Number.POSITIVE_INFINITY
}

/** Colours for what goes to standard output. */
export const stdoutPaint = (): Paint => createPaint(wantsColor(process.stdout.isTTY === true, process.env))
