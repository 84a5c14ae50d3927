import type { LaunchRequest } from './types.ts'

/** A journal line must be one write even from a shell, whose buffer is 1 to 4 KiB. */
const LONGEST_LABEL = 1000
/** Eight times what any kernel accepts as arguments and environment; the helper refuses frames above 64 MiB. */
const LONGEST_REQUEST = 16 * 1024 * 1024

/** What stands for itself in a label. */
const PLAIN_LABEL = /^[\w.-]*$/

/** Label as it stands in the journal: no spaces, no line ends, ASCII. A lone surrogate becomes U+FFFD. */
export function encodeLabel(label: string): string {
  return PLAIN_LABEL.test(label) ? label : encodeURIComponent(Buffer.from(label).toString())
}

/** undefined when it is not a label of ours. */
export function decodeLabel(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The overlay as NAME=VALUE, or NAME alone where the variable is taken away. */
export function listOverlay(env: LaunchRequest['env']): string[] {
  const overlay: string[] = []
  for (const name in env) overlay.push(env[name] === null ? name : `${name}=${env[name]}`)
  return overlay
}

const MIB = 2 ** 20

/** The memory limit in whole MiB, rounded up; 0 = none. */
export const memoryMib = ({ job }: LaunchRequest): number =>
  job?.memoryLimitBytes === undefined ? 0 : Math.ceil(job.memoryLimitBytes / MIB)

/** The errno that a request deserves which no system could start, or undefined: texts with NUL, impossible names, endless arguments. */
export function findFault(request: LaunchRequest): 'EINVAL' | 'E2BIG' | undefined {
  const { label, argv, env, cwd, stdout, stderr } = request
  let length = 0
  const hasNul = (text: string): boolean => {
    length += text.length
    return text.includes('\0')
  }
  if (argv.some(hasNul) || [cwd, stdout, stderr].some(path => path != null && hasNul(path))) return 'EINVAL'
  for (const name in env) {
    const value = env[name]
    if (name === '' || name.includes('=') || hasNul(name)) return 'EINVAL'
    if (value != null && hasNul(value)) return 'EINVAL'
  }
  if (encodeLabel(label).length > LONGEST_LABEL) return 'EINVAL'
  return length > LONGEST_REQUEST ? 'E2BIG' : undefined
}

/** Linux: 32 pages for one text, and a quarter of the usual 8 MiB of stack for all of them, each with its pointer. */
const LONGEST_TEXT_BYTES = 131_072
const LONGEST_LIST_BYTES = 2 * 1024 * 1024 - 4096

/** Whether exec would refuse the arguments and environment; asked where nobody else can tell this from the program's own exit code. */
export function isTooLong(request: LaunchRequest, environment: Record<string, string>): boolean {
  const own = [...request.argv, ...listOverlay(request.env)]
  // The usual case: UTF-8 takes at most three bytes for a unit, so that no text can be too long, and the environment itself came by exec.
  if (3 * own.reduce((sum, text) => sum + text.length + 8, 0) < LONGEST_TEXT_BYTES) return false
  const texts = [...request.argv, ...listOverlay({ ...environment, ...request.env })]
  const sizes = texts.map(text => Buffer.byteLength(text) + 1)
  return (
    sizes.some(size => size > LONGEST_TEXT_BYTES) || sizes.reduce((sum, size) => sum + size + 8, 0) > LONGEST_LIST_BYTES
  )
}
