import type { STDIO } from './keys.ts'
import type { SpecObject } from './schema.ts'

/** How a job's output is kept, in the wire's words. */
export type StdioSetting = { mode: string; delete_on_success?: boolean }

/** A stdio block; a job's replaces the workflow's as a whole, so an absent mode is the default one. */
export function toStdio({ get }: SpecObject<typeof STDIO>): StdioSetting {
  const mode = get.mode?.value ?? 'separate'
  return get.delete_on_success ? { mode, delete_on_success: get.delete_on_success.value } : { mode }
}
