/** What one check found. `warn`: it works, but not as well as it could. `bad`: something will fail. */
export type Finding = { check: string; state: 'ok' | 'warn' | 'bad'; message: string }

export const ok = (check: string, message: string): Finding => ({ check, state: 'ok', message })
export const warn = (check: string, message: string): Finding => ({ check, state: 'warn', message })
export const bad = (check: string, message: string): Finding => ({ check, state: 'bad', message })
