/** What a runner does with finished jobs, in citty's form; `parseRunSettings` reads it. */
export const FINISHED_JOBS_ARGS = {
  'job-threads': {
    type: 'string',
    valueHint: 'N',
    description: 'look after N finished jobs at once: outputs, hashes, log patterns (default: 1, on the main path)',
  },
  'hash-outputs': { type: 'boolean', description: 'tell the size and SHA-256 of every output with its job' },
} as const
