import type { Format } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { type Column, renderTable } from '../screen/table.ts'
import type { WorkerState } from './each.ts'

const COLUMNS: readonly Column<WorkerState>[] = [
  { title: 'WORKER', value: one => one.worker },
  { title: 'STATE', value: one => one.state },
  { title: 'PID', value: one => one.pid, align: 'right' },
  { title: 'EXIT CODE', value: one => one.exit_code, align: 'right' },
  { title: 'MESSAGE', value: one => one.message },
]

/** Prints how every worker is. */
export function showStates(states: readonly WorkerState[], format: Format): void {
  if (format === 'json') printJsonList(states)
  else print(renderTable(COLUMNS, states, screenWidth()))
}

/** 0 when the scripts came to their end everywhere. */
export const codeOf = (states: readonly WorkerState[]): 0 | 1 =>
  states.some(({ state }) => state === 'failed' || state === 'unreachable') ? 1 : 0
