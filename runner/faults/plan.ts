import { nearest } from '../../api/core/spec/hints.ts'
import { usageError } from '../command-line/error.ts'

/** The faults that a run can be given (docs/testing-faults.md), and what happens to whom. */
export const FAULTS = {
  'kill-job': 'a job: its processes are killed within the first 100 ms',
  'fail-job': 'a job: it does nothing and ends with 1',
  'fail-launch': 'a job: its program cannot be started',
  'fail-finalise': 'a finished job: one try to make its completion fails',
  'drop-request': 'a request: it never reaches the control plane',
  'drop-reply': 'a request: it takes effect and its answer is lost',
  'repeat-request': 'a request: it arrives twice',
  'delay-reply': 'a request: its answer comes up to 2 s late',
  'kill-runner': 'a request: the runner is killed instead of sending it',
} as const

export type FaultName = keyof typeof FAULTS
export type FaultPlan = { chances: ReadonlyMap<FaultName, number>; seed: number }

const isFault = (name: string): name is FaultName => Object.hasOwn(FAULTS, name)

/** Reads `kill-job=0.01,drop-reply=0.05`. Throws a usage error that names the nearest fault for one there is not. */
export function parseFaults(text: string): FaultPlan['chances'] {
  const chances = new Map<FaultName, number>()
  for (const part of text.split(',')) {
    const [, name = '', value = ''] = /^\s*([^=]*?)\s*(?:=\s*(.*?))?\s*$/.exec(part) ?? []
    if (!isFault(name)) throw unknownFault(name)
    const chance = Number(value)
    if (!/^(\d+\.?\d*|\.\d+)$/.test(value) || chance > 1)
      throw usageError(
        `Cannot read --fault as the chance of ${name} must be a number from 0 to 1: current value is ${value || '(empty)'}`,
      )
    if (chances.has(name)) throw usageError(`Cannot read --fault as ${name} is given twice: current value is ${text}`)
    chances.set(name, chance)
  }
  return chances
}

function unknownFault(name: string) {
  const names = Object.keys(FAULTS)
  const near = nearest(name, names)
  return usageError(
    `Cannot read --fault as there is no fault ${name || '(empty)'}: ${near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`}`,
  )
}

/** For the one line that tells a user what a run was given. */
export const describeFaults = ({ chances }: FaultPlan): string =>
  [...chances].map(([name, chance]) => `${name} ${chance}`).join(', ')
