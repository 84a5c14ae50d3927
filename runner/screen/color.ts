/** Paints text, or leaves it as it is. */
export type Paint = {
  good(text: string): string
  bad(text: string): string
  dim(text: string): string
  strong(text: string): string
}

const plain = (text: string): string => text
const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`

const COLORED: Paint = { good: sgr(32, 39), bad: sgr(31, 39), dim: sgr(2, 22), strong: sgr(1, 22) }
const PLAIN: Paint = { good: plain, bad: plain, dim: plain, strong: plain }

export const createPaint = (colored: boolean): Paint => (colored ? COLORED : PLAIN)

/** Colours are for terminals, and for those whose owner has not asked for none (no-color.org: any value that is not empty). */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
}
