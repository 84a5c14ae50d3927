/**
 * What a command says when it cannot do what was asked, and the exit code it ends with: 2 for a mistake in the command line or
 * the workflow file, 3 when the world is in the way. The message is one line: what cannot be done, the value, what to do.
 */
export class CommandError extends Error {
  readonly exitCode: 2 | 3

  constructor(message: string, exitCode: 2 | 3) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

export const usageError = (message: string): CommandError => new CommandError(message, 2)
export const cannotRun = (message: string): CommandError => new CommandError(message, 3)
