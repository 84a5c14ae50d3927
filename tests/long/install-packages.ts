import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

const INSTALL_MS = 300_000
/** Asked by packages whether they may start services of their own, which tests do not want. */
const GUARD = '/usr/sbin/policy-rc.d'

/** Installs the Debian packages of commands that are missing; needs root then. Throws with apt's words when it cannot. */
export function installPackages(packageOf: Readonly<Record<string, string>>): void {
  const missing = Object.entries(packageOf).filter(([command]) => spawnSync('which', [command]).status !== 0)
  if (missing.length === 0) return
  const isGuarded = existsSync(GUARD)
  if (!isGuarded) writeFileSync(GUARD, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    apt('update')
    apt('install', '-y', '--no-install-recommends', ...missing.map(([, name]) => name))
  } finally {
    if (!isGuarded) rmSync(GUARD)
  }
}

function apt(...words: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...words], {
    env,
    encoding: 'utf8',
    timeout: INSTALL_MS,
  })
  if (status !== 0) throw new Error(`apt-get ${words.join(' ')}: ${stderr}`)
}
