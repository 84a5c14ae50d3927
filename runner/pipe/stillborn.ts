import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import { readFileEnd } from '../file-end.ts'
import { placesIn } from './directory.ts'
import type { PipeRun } from './wire.ts'

/** Enough to see why nothing started. */
const TAIL_BYTES = 4_096

/** Keeps the end of what an array has printed of which no runner ever registered: the one place where the reason stands. */
export async function tellStillborn(client: Client, run: PipeRun): Promise<void> {
  for (const { id, name, state, has_registered, message } of run.submissions) {
    if (state !== 'gone' || has_registered || message !== undefined) continue
    const said = lastWords(placesIn(run.directory).submission(name))
    await must(client.request('PUT', `/pipe_runs/${run.id}/submissions/${id}`, { message: said }))
  }
}

/** The end of the output of the element that printed last; outputs lie beside the script. */
function lastWords(directory: string): string {
  const outputs = listNames(directory)
    .filter(name => /\.o\d/.test(name) || name.endsWith('.out'))
    .map(name => ({ path: join(directory, name), stat: statSync(join(directory, name)) }))
    .filter(({ stat }) => stat.size > 0)
    .sort((one, other) => other.stat.mtimeMs - one.stat.mtimeMs)
  const [newest] = outputs
  if (newest === undefined) return 'it ended before a runner registered, and has printed nothing'
  return `it ended before a runner registered; the end of ${newest.path}:\n${readFileEnd(newest.path, TAIL_BYTES).trimEnd()}`
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
