import { readProfile } from './profile-file.ts'
import anvil from './profiles/anvil.json' with { type: 'json' }
import expanse from './profiles/expanse.json' with { type: 'json' }
import kestrel from './profiles/kestrel.json' with { type: 'json' }
import type { Profile } from './types.ts'

/** The clusters that come with the package; each is a file in profiles/. Sites change: a live answer or a user's own profile goes first. */
export const BUILT_IN_PROFILES: readonly Profile[] = [anvil, expanse, kestrel].map(document => {
  const read = readProfile(document, 'built-in')
  if ('fault' in read) throw new Error(`The profile ${document.name} cannot be read: ${read.fault}`)
  return read.profile
})
