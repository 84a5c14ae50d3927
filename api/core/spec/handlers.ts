import type { SpecContext } from './env.ts'
import type { FAILURE_HANDLER, FAILURE_RULE } from './keys.ts'
import { readNamed } from './named.ts'
import type { SpecObject } from './schema.ts'
import type { ExpandedFailureHandler, JsonObject } from './types.ts'

const DEFAULT_MAX_RETRIES = 3

/** `max_retries` counts attempts, so 0 and 1 never retry. */
const LEAST_USEFUL_RETRIES = 2

/** Reads the failure handlers; warns about rules that can never match or never retry. */
export function readFailureHandlers(objects: readonly SpecObject<typeof FAILURE_HANDLER>[], context: SpecContext) {
  for (const object of objects) for (const rule of object.get.rules ?? []) warnDeadRule(rule, context)
  return readNamed(objects, 'failure handler', toHandler, context)
}

function toHandler({ get }: SpecObject<typeof FAILURE_HANDLER>, name: string): ExpandedFailureHandler {
  return { name, rules: JSON.stringify((get.rules ?? []).map(toRule)) }
}

/** Clients write no empty list and no false, so neither do we. */
function toRule({ get }: SpecObject<typeof FAILURE_RULE>): JsonObject {
  const codes = get.exit_codes?.items.map(item => item.value) ?? []
  return {
    ...(codes.length > 0 && { exit_codes: codes }),
    ...(get.match_all_exit_codes?.value && { match_all_exit_codes: true }),
    ...(get.recovery_script && { recovery_script: get.recovery_script.value }),
    max_retries: get.max_retries?.value ?? DEFAULT_MAX_RETRIES,
  }
}

function warnDeadRule({ get, node, path }: SpecObject<typeof FAILURE_RULE>, { report }: SpecContext): void {
  const hasCodes = (get.exit_codes?.items.length ?? 0) > 0
  if (!hasCodes && !get.match_all_exit_codes?.value) {
    report.warn(
      'dead_rule',
      { at: node.at, path },
      'this rule never matches',
      'give it exit_codes or match_all_exit_codes',
    )
  } else if ((get.max_retries?.value ?? DEFAULT_MAX_RETRIES) < LEAST_USEFUL_RETRIES) {
    report.warn(
      'dead_rule',
      { at: node.at, path },
      'this rule never retries, as max_retries counts attempts',
      'give max_retries 2 or more',
    )
  }
}
