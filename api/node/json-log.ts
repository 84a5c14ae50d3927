import type { LogRequest } from '../request-log.ts'

export type ServerLog = {
  /** Notices and faults, one line each. */
  log: (line: string) => void
  logRequest: LogRequest
}

/** Writes everything as lines of JSON, for programs that collect logs: `write` takes whole lines. */
export function createJsonLog(write: (line: string) => void, clock: () => number = Date.now): ServerLog {
  const say = (fields: object): void =>
    write(`${JSON.stringify({ timestamp: new Date(clock()).toISOString(), ...fields })}\n`)
  return {
    log: message => say({ level: message.startsWith('Fault ') ? 'error' : 'info', message }),
    logRequest: request => say({ level: 'info', message: 'request', ...request }),
  }
}
