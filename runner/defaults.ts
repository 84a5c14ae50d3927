/** What the command line does when it is not told otherwise (design.md, Defaults). */

export const OUTPUT_DIR = 'headrace_output'

/** The database and the file by which other commands find a running control plane, inside the output directory. */
export const DATABASE_NAME = 'headrace.db'
export const INFO_NAME = 'headrace.json'

/** What an acknowledged write outlives: the death of a process, or of the machine's power too. */
export const DURABILITIES = ['process', 'power'] as const
export type Durability = (typeof DURABILITIES)[number]

export const SERVER_HOST = '127.0.0.1'
/** What Torc's server uses, so that its clients' examples work with a changed host alone. */
export const SERVER_PORT = 8080
