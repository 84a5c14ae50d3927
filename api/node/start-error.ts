/** Why a server cannot start, in one line that says what to do. The command prints it and exits; it is no fault of the program. */
export class StartError extends Error {}

/** The code of a system or SQLite error, or an empty text. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
