import { usageError } from '../command-line/error.ts'

/** When to stop before the end, and how: `now` ends what runs, `soon` only starts nothing more. */
export type Halt = { when: 'now' | 'soon'; what: 'fail' | 'success' | 'done'; many: number; isPercent: boolean }

/** GNU parallel's older numbers. */
const NUMBERS: Record<string, string> = { '0': 'never', '1': 'soon,fail=1', '2': 'now,fail=1' }
const WORDS = /^(now|soon),(fail|success|done)=(\d+)(%?)$/

/** Reads `never`, `now,fail=1`, `soon,success=3`, `soon,fail=20%`; undefined means never. */
export function parseHalt(text: string | undefined): Halt | undefined {
  const words = text === undefined ? 'never' : (NUMBERS[text] ?? text)
  if (words === 'never') return undefined
  const match = WORDS.exec(words)
  if (match === null || Number(match[3]) < 1) {
    throw usageError(
      `Cannot read --halt as it must be never or like now,fail=1 or soon,done=20%: current value is ${text || '(empty)'}`,
    )
  }
  const [, when, what, many, percent] = match
  return { when: when as Halt['when'], what: what as Halt['what'], many: Number(many), isPercent: percent === '%' }
}

export type Ends = { failed: number; succeeded: number; total: number }

/** Whether enough jobs have ended the way that was waited for. */
export function isReached({ what, many, isPercent }: Halt, { failed, succeeded, total }: Ends): boolean {
  const count = { fail: failed, success: succeeded, done: failed + succeeded }[what]
  return count >= (isPercent ? (total * many) / 100 : many)
}
