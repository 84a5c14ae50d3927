import { randomBytes } from 'node:crypto'

/** A name that fits every scheduler's rule and that no other submission has. */
export const createAllocationName = (): string => `hr-${randomBytes(4).toString('hex')}`
