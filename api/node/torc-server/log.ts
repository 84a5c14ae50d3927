import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createJsonLog } from '../json-log.ts'

const FILE_NAME = 'torc-server.log'

/** Gives a function that logs one line: to standard error, and to a file when there is a folder for it. Standard output is for parents. */
export function createLog({ logDir, jsonLogs }: { logDir?: string; jsonLogs: boolean }): (line: string) => void {
  if (logDir !== undefined) mkdirSync(logDir, { recursive: true })
  const write = (line: string): void => {
    process.stderr.write(line)
    if (logDir !== undefined) appendFileSync(join(logDir, FILE_NAME), line)
  }
  return jsonLogs ? createJsonLog(write).log : message => write(`${new Date().toISOString()} ${message}\n`)
}
