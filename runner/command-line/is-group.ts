import type { Command, Group } from './verb.ts'

/** Apart from verb.ts, whose parser the root and its help do without: start-up pays for what it loads. */
export const isGroup = (command: Command): command is Group => 'verbs' in command
