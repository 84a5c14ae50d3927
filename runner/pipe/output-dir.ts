import { resolve } from 'node:path'
import { OUTPUT_DIR } from '../defaults.ts'

/** Absolute, since elements start elsewhere. */
export const outputDirOf = (flags: { 'output-dir'?: string }): string => resolve(flags['output-dir'] ?? OUTPUT_DIR)
