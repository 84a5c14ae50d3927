import type { AllocationRequest } from './types.ts'

/**
 * The next submission of an array whose scheduler has no throttle (HTCondor): as many elements as may run besides those that are there,
 * with the numbers after the `submitted` ones, under a name of its own. undefined when there is no room or nothing left.
 */
export function refillOf(
  request: AllocationRequest,
  { submitted, alive, name }: { submitted: number; alive: number; name: string },
): AllocationRequest | undefined {
  if (request.array?.throttle === undefined) return undefined
  const { first, last, throttle } = request.array
  const next = first + submitted
  const room = Math.min(throttle - alive, last - next + 1)
  return room < 1 ? undefined : { ...request, name, array: { first: next, last: next + room - 1, throttle } }
}
