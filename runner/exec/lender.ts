import { createLedger, type Grant, type Ledger, type Need } from '../capacity/ledger.ts'
import { GrantQueue } from './queue.ts'

/** What can be lent, and who waits for it: the whole node, or what one grant holds, for launches inside it. */
export type Lender<T> = { ledger: Ledger; queue: GrantQueue<T> }

export const createLender = <T>(ledger: Ledger): Lender<T> => ({ ledger, queue: new GrantQueue<T>(ledger) })

/**
 * A lender of what a launch or a job holds. A grant without cores is a slot, in which one launch runs at a time; one without memory
 * was lent without counting it.
 */
export function lendOfGrant<T>({ cores, gpus, memoryBytes }: Grant): Lender<T> {
  const slots = cores.length === 0 ? 1 : undefined
  return createLender(createLedger({ cores, gpus, memoryBytes: memoryBytes || Number.MAX_SAFE_INTEGER, slots }))
}

/** Why a need can never be met here, in one line; undefined when it can. */
export function whyNever(need: Need, { ledger }: Lender<unknown>, isInside: boolean): string | undefined {
  if (ledger.fitsEmpty(need)) return undefined
  const { cpus, memoryBytes, gpus } = ledger.total
  const where = isInside ? 'the launch or job around it' : 'this node'
  if (need.gpus > gpus) return `Cannot launch as ${where} has ${gpus} GPUs: wanted are ${need.gpus}`
  if (need.cpus > cpus) return `Cannot launch as ${where} has ${cpus} cores: wanted are ${need.cpus}`
  return `Cannot launch as ${where} has ${memoryBytes} bytes of memory: wanted are ${need.memoryBytes}`
}
