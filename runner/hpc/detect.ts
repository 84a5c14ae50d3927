import type { Profile } from './types.ts'

/** What a machine shows of the cluster it belongs to. */
export type MachineFacts = { clusterName: string | undefined; hostname: string; env: NodeJS.ProcessEnv }

/** Which profile this machine belongs to, the first that matches, and by which sign. */
export function detectProfile(
  profiles: readonly Profile[],
  facts: MachineFacts,
): { profile: Profile; sign: string } | undefined {
  for (const profile of profiles) {
    const sign = signOf(profile, facts)
    if (sign !== undefined) return { profile, sign }
  }
  return undefined
}

function signOf({ signs }: Profile, { clusterName, hostname, env }: MachineFacts): string | undefined {
  const cluster = clusterName ?? env.SLURM_CLUSTER_NAME
  if (cluster !== undefined && signs.clusterNames.includes(cluster)) return `cluster name ${cluster}`
  if (signs.hostnames.some(pattern => pattern.test(hostname))) return `host name ${hostname}`
  const variable = Object.entries(signs.env).find(([name, value]) => env[name] === value)
  return variable === undefined ? undefined : `environment variable ${variable[0]}=${variable[1]}`
}
