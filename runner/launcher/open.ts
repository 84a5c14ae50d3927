import { findBinary } from './binary.ts'
import { openNative } from './native.ts'
import { openShell } from './shell.ts'
import type { Launcher, LauncherOptions } from './types.ts'

function chooseKind(options: LauncherOptions): 'native' | 'shell' | 'auto' {
  const forced = process.env.HEADRACE_LAUNCHER
  if (forced === 'native' || forced === 'shell') return forced
  if (forced)
    throw new Error(`Cannot choose a launcher as HEADRACE_LAUNCHER must be native or shell: current value is ${forced}`)
  return options.kind ?? 'auto'
}

/**
 * Opens a launcher: the native one where it can be had, else the shell stand-in; HEADRACE_LAUNCHER decides before the options.
 * Rejects when the kind that was asked for cannot start, or the journal cannot be written.
 */
export async function openLauncher(options: LauncherOptions): Promise<Launcher> {
  const kind = chooseKind(options)
  if (kind === 'shell') return openShell(options)
  const binary = await findBinary()
  if (kind === 'native') {
    if (binary === undefined)
      throw new Error('Cannot open the native launcher as it is not built and cannot be built here')
    return openNative(binary, options)
  }
  if (binary === undefined) return openShell(options)
  try {
    return await openNative(binary, options)
  } catch (error) {
    // A build of another machine, of which a shared home directory or a copied package has many.
    process.stderr.write(`headrace: ${(error as Error).message}; the shell stand-in starts the jobs\n`)
    return openShell(options)
  }
}
