import type { CommandResult } from './command.ts'
import type { ControlOutcome, ProbeOutcome, SubmitOutcome } from './types.ts'

/** Enough to tell what is wrong; some clients print a page of usage. */
const WORDS_MOST = 500

/** What a client program that did not do its work says about it, in one line. */
export function wordsOf(result: CommandResult): string {
  if (result.kind === 'missing') return result.message
  const said = oneLine(result.stderr) || oneLine(result.stdout)
  if (result.kind === 'broken') return said === '' ? result.message : `${result.message}: ${said}`
  return said === '' ? `it ended with code ${result.code} and no word` : said
}

const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, '; ')
    .slice(0, WORDS_MOST)

/** How to read the answers of one scheduler's clients. */
export type Reading = {
  /** The allocation's id in what a successful submission prints. */
  parseId(stdout: string): string | undefined
  /** Whether a failure means that the scheduler did not answer, rather than that it said no. */
  isAway(code: number, stderr: string): boolean
}

/**
 * Reads the end of a submit command. Only a plain refusal (not zero, a reason, nothing on stdout) or a program that never ran says
 * that nothing was submitted; everything else may have been (hpc.md 1.4).
 */
export function readSubmission(result: CommandResult, reading: Reading, acknowledgedAtMs: number): SubmitOutcome {
  if (result.kind === 'missing') return { kind: 'refused', message: result.message }
  if (result.kind === 'broken') return { kind: 'unknown', message: wordsOf(result) }
  if (result.code === 0) {
    const id = reading.parseId(result.stdout)
    if (id !== undefined) return { kind: 'submitted', id, acknowledgedAtMs }
    return { kind: 'unknown', message: `its answer has no id: ${JSON.stringify(result.stdout.slice(0, WORDS_MOST))}` }
  }
  const answered = result.stdout.trim() === '' && result.stderr.trim() !== ''
  const refused = answered && !reading.isAway(result.code, result.stderr)
  return { kind: refused ? 'refused' : 'unknown', message: wordsOf(result) }
}

/** Reads the end of a command that changes something: `nothingLeft` tells the messages for what is over already, which is no error. */
export function readControl(
  result: CommandResult,
  reading: Pick<Reading, 'isAway'>,
  nothingLeft: RegExp,
): ControlOutcome {
  if (result.kind === 'missing') return { kind: 'refused', message: result.message }
  if (result.kind === 'broken') return { kind: 'unknown', message: wordsOf(result) }
  if (result.code === 0) return { kind: 'done' }
  if (reading.isAway(result.code, result.stderr)) return { kind: 'unknown', message: wordsOf(result) }
  const complaints = `${result.stderr}\n${result.stdout}`.split('\n').filter(line => line.trim() !== '')
  if (complaints.length > 0 && complaints.every(line => nothingLeft.test(line))) return { kind: 'done' }
  return { kind: 'refused', message: wordsOf(result) }
}

/** Reads the end of a check that takes nothing: any answer but zero is a refusal. */
export function readProbe(result: CommandResult, reading: Pick<Reading, 'isAway'>): ProbeOutcome {
  if (result.kind === 'missing') return { kind: 'refused', message: result.message }
  if (result.kind === 'broken' || reading.isAway(result.code, result.stderr))
    return { kind: 'unknown', message: wordsOf(result) }
  return { kind: result.code === 0 ? 'accepted' : 'refused', message: wordsOf(result) }
}

/** The text of a command that did what it was asked, or why there is none. */
export function textOf(result: CommandResult): { text: string } | { trouble: string } {
  return result.kind === 'exited' && result.code === 0 ? { text: result.stdout } : { trouble: wordsOf(result) }
}
