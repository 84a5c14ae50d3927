import { parseDuration } from '../duration.ts'
import { parseMemory } from '../memory.ts'
import type { FAILURE_PATTERN, RETRY } from './keys.ts'
import type { SpecObject } from './schema.ts'
import type { FailurePattern, RetryRule } from './types.ts'

const DEFAULT_BACKOFF_SECONDS = 10
const DEFAULT_BACKOFF_MAX_SECONDS = 600

/** A `retry` block with its defaults filled in. */
export function toRetryRule({ get }: SpecObject<typeof RETRY>): RetryRule {
  return {
    max: get.max?.value ?? 0,
    backoffSeconds: get.backoff_seconds?.value ?? DEFAULT_BACKOFF_SECONDS,
    backoffMaxSeconds: get.backoff_max_seconds?.value ?? DEFAULT_BACKOFF_MAX_SECONDS,
    on: get.on?.items.map(item => item.value) ?? [],
    memoryFactor: get.memory_factor?.value,
    runtimeFactor: get.runtime_factor?.value,
    maxMemoryBytes: get.max_memory && parseMemory(get.max_memory.value),
    maxRuntimeSeconds: get.max_runtime && parseDuration(get.max_runtime.value),
  }
}

/** A `transient` or `deterministic` block. */
export function toFailurePattern({ get }: SpecObject<typeof FAILURE_PATTERN>): FailurePattern {
  return {
    exitCodes: get.exit_codes?.items.map(item => item.value) ?? [],
    logPatterns: get.log_patterns?.items.map(item => item.value) ?? [],
  }
}
