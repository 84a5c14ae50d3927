import { userInfo } from 'node:os'

/** Who runs this command. Containers may know the number only. */
export function callerName(): string {
  try {
    return userInfo().username
  } catch {
    return process.env.USER || `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
