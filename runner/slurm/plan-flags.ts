import { usageError } from '../command-line/error.ts'
import { amountFlag, wordFlag } from '../command-line/flags.ts'
import type { Profile } from '../hpc/types.ts'
import { GROUPINGS, type PlanOptions, type SchedulerPlan, WALLTIME_STRATEGIES } from './plan-schedulers.ts'

/** Jobs are given half as much time again as they say to need. */
const MULTIPLIER = 1.5

/** How schedulers are planned, as options of the commands that do. */
export const PLAN_OPTIONS = {
  account: {
    type: 'string',
    valueHint: 'ACCOUNT',
    description: 'who pays (default: the default_account of the cluster profile)',
  },
  profile: {
    type: 'string',
    valueHint: 'NAME',
    description: 'cluster, live for what Slurm says now (default: the one this machine belongs to)',
  },
  partition: { type: 'string', valueHint: 'NAME', description: 'use this partition only (default: the best for each)' },
  'group-by': {
    type: 'string',
    valueHint: GROUPINGS.join('|'),
    description: 'one scheduler for all jobs of a partition (default), or for each resource set',
  },
  'walltime-strategy': {
    type: 'string',
    valueHint: WALLTIME_STRATEGIES.join('|'),
    description: 'as long as the longest job with a margin (default), or as long as the partition gives',
  },
  'walltime-multiplier': {
    type: 'string',
    valueHint: 'X',
    description: `the margin: runtimes times this (default: ${MULTIPLIER})`,
  },
  'single-allocation': {
    type: 'boolean',
    description: 'one allocation of many nodes with a runner on each, instead of many of one node',
  },
} as const

type Given = {
  account?: string
  partition?: string
  'group-by'?: string
  'walltime-strategy'?: string
  'walltime-multiplier'?: string
  'single-allocation'?: boolean
}

/** The options that were given. Throws a usage error for one that cannot be read, or when nobody says who pays. */
export function readPlanOptions(given: Given, profile: Profile): PlanOptions {
  const account = given.account ?? profile.defaultAccount
  if (account === undefined || account.trim() === '') {
    throw usageError(`Cannot plan allocations on ${profile.name} without an account: give --account`)
  }
  const known = new Set(profile.partitions.map(partition => partition.name))
  if (given.partition !== undefined && !known.has(given.partition)) {
    throw usageError(`Cannot find the partition ${given.partition} of ${profile.name}: it has ${[...known].join(', ')}`)
  }
  const multiplier = amountFlag('--walltime-multiplier', given['walltime-multiplier']) ?? MULTIPLIER
  if (multiplier < 1) {
    throw usageError(
      `Cannot read --walltime-multiplier as it must be at least 1, or jobs would not fit: current value is ${multiplier}`,
    )
  }
  return {
    account,
    partition: given.partition,
    groupBy: wordFlag('--group-by', given['group-by'], GROUPINGS) ?? 'partition',
    walltimeStrategy:
      wordFlag('--walltime-strategy', given['walltime-strategy'], WALLTIME_STRATEGIES) ?? 'max-job-runtime',
    walltimeMultiplier: multiplier,
    singleAllocation: given['single-allocation'] === true,
  }
}

/** Throws a usage error when jobs fit nowhere: a plan without them would leave them waiting for ever. */
export function needAllPlaced({ unplaced }: SchedulerPlan, profile: Profile): void {
  if (unplaced.length === 0) return
  const lines = unplaced.map(
    ({ set, jobs, reasons }) => `  ${set} (${jobs} jobs): ${reasons.join('; ') || 'no partition'}`,
  )
  throw usageError(`Cannot place all jobs on ${profile.name}:\n${lines.join('\n')}`)
}
