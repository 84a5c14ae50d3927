import { run, type Unit } from './unit.ts'

/**
 * Writes the whole database, as of one moment, into a file that is missing or empty. Not inside a transaction: call it with `read`.
 * Throws what libSQL throws when the file cannot be written.
 */
export const writeSnapshot = (path: string): Unit<void> => run('VACUUM INTO ?', path)
