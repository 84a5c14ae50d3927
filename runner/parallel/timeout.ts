import { durationFlag } from '../command-line/flags.ts'

/** A plain number is seconds, as GNU parallel has it; else a duration as everywhere. */
export function timeoutFlag(text: string | undefined): number | undefined {
  return text !== undefined && /^(\d+\.?\d*|\.\d+)$/.test(text) && Number(text) > 0
    ? Number(text)
    : durationFlag('--timeout', text)
}
