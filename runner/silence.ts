import type { ObservedApi } from './loop-api.ts'

/** Where the control plane is, where lies what it was not told, and what `runner reconcile` is given. */
export type SilencePlaces = { url: string; kept: string; outputDir: string }

/** Why a runner ended that could not tell all it had to, and what to do. */
export function describeSilence(api: ObservedApi, { url, kept, outputDir }: SilencePlaces): string {
  const rest = `what it was not told is kept in ${kept}`
  const reconcile = `\`runner reconcile ${outputDir}\``
  return api.isShutOut()
    ? `Cannot go on as ${url} refuses this runner: ${api.trouble}; ${rest}: set HEADRACE_TOKEN to a new token and run the same command again, or ${reconcile}`
    : `Cannot reach the control plane any more: ${url}; ${rest}: run the same command again, or ${reconcile}`
}
