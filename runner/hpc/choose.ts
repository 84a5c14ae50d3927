import { hostname } from 'node:os'
import { nearest } from '../../api/core/spec/hints.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { type CommandRunner, createCommandRunner } from '../schedulers/command.ts'
import { BUILT_IN_PROFILES } from './built-in.ts'
import { detectProfile } from './detect.ts'
import { readLiveProfile } from './live.ts'
import type { Profile } from './types.ts'
import { profileDirectories, readUserProfiles } from './user-profiles.ts'

/** The name under which `--profile` means the Slurm of this machine. */
export const LIVE = 'live'

/** All profiles that are known without asking a scheduler; the user's own go before the site's, and these before those of the package. */
export function knownProfiles(env: NodeJS.ProcessEnv): Profile[] {
  const all = [...profileDirectories(env).flatMap(readUserProfiles), ...BUILT_IN_PROFILES]
  return all.filter(({ name }, index) => all.findIndex(profile => profile.name === name) === index)
}

export type Chosen = { profile: Profile; sign: string }

/** Where profiles come from; passed in for tests. */
export type Surroundings = { env: NodeJS.ProcessEnv; run: CommandRunner; hostname: string }

export const surroundings = (env: NodeJS.ProcessEnv = process.env): Surroundings => ({
  env,
  run: createCommandRunner(env),
  hostname: hostname(),
})

/**
 * The profile of this machine: a user's own, else what its Slurm says itself, else one that comes with the package. Undefined where none
 * matches, with what Slurm said.
 */
export async function detect({ env, run, hostname }: Surroundings): Promise<Chosen | { message: string }> {
  const live = await readLiveProfile(run)
  const clusterName = live.kind === 'found' ? live.profile.name : undefined
  const known = detectProfile(knownProfiles(env), { clusterName, hostname, env })
  if (known?.profile.source === 'user') return known
  if (live.kind === 'found') {
    // Slurm knows partitions better; who pays by default only a profile says.
    const profile = { ...live.profile, defaultAccount: known?.profile.defaultAccount }
    return { profile, sign: 'the answers of sinfo and scontrol' }
  }
  return known ?? { message: live.message }
}

/** The profile that is named, or that of this machine. Throws when there is none. */
export async function chooseProfile(name: string | undefined, around: Surroundings): Promise<Profile> {
  if (name === undefined) {
    const found = await detect(around)
    if ('profile' in found) return found.profile
    throw cannotRun(
      `Cannot tell which cluster this is: ${found.message}. Name one with --profile; runner hpc list shows them`,
    )
  }
  if (name === LIVE) {
    const live = await readLiveProfile(around.run)
    if (live.kind === 'found') return live.profile
    throw cannotRun(`Cannot read the cluster: ${live.message}`)
  }
  const profiles = knownProfiles(around.env)
  const found = profiles.find(profile => profile.name === name)
  if (found !== undefined) return found
  const names = [LIVE, ...profiles.map(profile => profile.name)]
  const near = nearest(name, names)
  throw usageError(
    `Cannot find the cluster profile ${name}: ${near === undefined ? names.join(', ') : `did you mean ${near}?`}`,
  )
}
