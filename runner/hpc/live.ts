import { type CommandRunner, LIST_TIMEOUT_MS } from '../schedulers/command.ts'
import { givesWholeNodes, parseClusterName, parsePartitionRules, parseSinfo, SINFO_FORMAT } from './parse-sinfo.ts'
import type { Profile } from './types.ts'

/** A cluster as Slurm itself describes it, or why it does not. */
export type LiveProfile = { kind: 'found'; profile: Profile } | { kind: 'none'; message: string }

/** Asks the Slurm of this machine for its name and its partitions. What scontrol does not say is left out; without sinfo there is nothing. */
export async function readLiveProfile(run: CommandRunner): Promise<LiveProfile> {
  const sinfo = await say(run, ['sinfo', '-e', '-h', '-o', SINFO_FORMAT])
  if ('message' in sinfo) return { kind: 'none', message: sinfo.message }
  const [config, partitions] = await Promise.all([
    say(run, ['scontrol', 'show', 'config']),
    say(run, ['scontrol', 'show', 'partition', '-o']),
  ])
  const rules = 'text' in partitions ? parsePartitionRules(partitions.text) : new Map()
  const found = parseSinfo(sinfo.text, rules)
  if (found === undefined) return { kind: 'none', message: 'sinfo prints something else than was asked for' }
  if (found.length === 0) return { kind: 'none', message: 'sinfo lists no partition that is up' }
  const isWhole = 'text' in config && givesWholeNodes(config.text)
  const name = ('text' in config ? parseClusterName(config.text) : undefined) ?? 'slurm'
  return {
    kind: 'found',
    profile: {
      name,
      displayName: name,
      description: 'as Slurm describes it now',
      source: 'live',
      signs: { clusterNames: [name], hostnames: [], env: {} },
      partitions: isWhole ? found.map(partition => ({ ...partition, isShared: false })) : found,
    },
  }
}

async function say(
  run: CommandRunner,
  argv: readonly [string, ...string[]],
): Promise<{ text: string } | { message: string }> {
  const result = await run(argv, { timeoutMs: LIST_TIMEOUT_MS })
  if (result.kind !== 'exited') return { message: result.message }
  if (result.code === 0) return { text: result.stdout }
  return { message: `${argv[0]} has failed with ${result.code}: ${result.stderr.trim().split('\n')[0]}` }
}
