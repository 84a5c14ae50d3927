import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const FILE_NAME = 'torc-server.log'

/** Gives a function that logs one line: to standard error, and to a file when there is a folder for it. Standard output is for parents. */
export function createLog({ logDir, jsonLogs }: { logDir?: string; jsonLogs: boolean }): (line: string) => void {
  if (logDir !== undefined) mkdirSync(logDir, { recursive: true })
  return message => {
    const timestamp = new Date().toISOString()
    const line = jsonLogs ? JSON.stringify({ timestamp, message }) : `${timestamp} ${message}`
    process.stderr.write(`${line}\n`)
    if (logDir !== undefined) appendFileSync(join(logDir, FILE_NAME), `${line}\n`)
  }
}
