import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LauncherKind } from '../../runner/launcher/types.ts'
import { noteSkip } from './skip.ts'

/** Whether the native launcher is built here; where it is not there is no C compiler. */
export const hasNative = existsSync(fileURLToPath(new URL('../../dist/headrace-launcher', import.meta.url)))

/** The launchers that can be tested on this machine. */
export function launcherKinds(): readonly LauncherKind[] {
  if (hasNative) return ['native', 'shell']
  noteSkip('no C compiler: the native launcher')
  return ['shell']
}

/** The launcher that a run takes by itself. */
export const usualLauncher: LauncherKind = hasNative ? 'native' : 'shell'
