import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { chooseLogs, type Doomed } from '../clean/choose.ts'
import { listLogs, type Part, partsOf } from '../clean/contents.ts'
import { liveWorkflows } from '../clean/live.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag, durationFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { counted, formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf } from './ask.ts'

const columns = (nowMs: number): readonly Column<Part>[] => [
  { title: 'WHAT', value: part => part.kind },
  { title: 'FILES', value: part => part.files, align: 'right' },
  { title: 'SIZE', value: part => formatBytes(part.bytes), align: 'right' },
  { title: 'OLDEST', value: part => formatSeconds(Math.max(0, nowMs - part.oldestMs) / 1000), align: 'right' },
  { title: 'NEWEST', value: part => formatSeconds(Math.max(0, nowMs - part.newestMs) / 1000), align: 'right' },
]

export default defineVerb({
  about:
    'Show what an output directory holds, by size and age; with a rule, remove log files that fit it. Logs of a workflow that runs are never touched, nor anything but logs.',
  args: {
    'empty-logs': { type: 'boolean', description: 'remove log files without content' },
    keep: { type: 'string', valueHint: 'N', description: 'remove the logs of all but the N newest runs' },
    'older-than': { type: 'string', valueHint: 'TIME', description: 'remove logs older than this, such as 30d' },
    'dry-run': { type: 'boolean', description: 'only show what would be removed' },
    'output-dir': CONTROL_PLANE['output-dir'],
    ...FORMAT,
  },
  examples: ['clean', 'clean --empty-logs --dry-run', 'clean --keep 3 --older-than 30d'],
  async run(args) {
    const format = formatOf(args.format)
    const olderThan = durationFlag('--older-than', args['older-than'])
    const rules = {
      emptyLogs: args['empty-logs'] === true,
      keepRuns: countFlag('--keep', args.keep, 0),
      olderThanMs: olderThan && olderThan * 1000,
    }
    const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
    if (!existsSync(outputDir)) throw cannotRun(`Cannot find the output directory: ${outputDir} does not exist`)
    const logs = listLogs(outputDir)
    const live = liveWorkflows(outputDir)
    const doomed = chooseLogs(logs, rules, Date.now(), id => live.unreadable || live.ids.has(id))
    const gone = args['dry-run'] ? doomed : doomed.filter(({ log }) => remove(log.path))
    const bytes = gone.reduce((sum, { log }) => sum + log.bytes, 0)
    const removed = new Set(args['dry-run'] ? [] : gone.map(({ log }) => log.path))
    const left = logs.filter(log => !removed.has(log.path))
    const parts = partsOf(outputDir, left)
    if (format === 'json') {
      printJson({
        output_dir: outputDir,
        parts: parts.map(({ oldestMs, newestMs, ...part }) => ({ ...part, oldest_ms: oldestMs, newest_ms: newestMs })),
        live_workflows: [...live.ids],
        dry_run: args['dry-run'] === true,
        removed: gone.map(({ log, why }) => ({ path: log.path, bytes: log.bytes, why })),
      })
      return 0
    }
    const asked = rules.emptyLogs || rules.keepRuns !== undefined || rules.olderThanMs !== undefined
    print(
      [
        parts.length === 0
          ? `${outputDir} is empty.`
          : renderTable(columns(Date.now()), parts, screenWidth()).trimEnd(),
        ...(live.unreadable ? ['A runner has left a state that cannot be read: no log is touched.'] : []),
        ...(live.ids.size === 0 ? [] : [`Live: workflow ${[...live.ids].join(', ')}. Its logs are not touched.`]),
        ...(asked ? [describe(gone, bytes, args['dry-run'] === true)] : []),
      ].join('\n'),
    )
    return 0
  },
})

/** Tells whether it went; one that somebody else has removed did not by us. */
function remove(path: string): boolean {
  try {
    rmSync(path)
    return true
  } catch {
    return false
  }
}

const describe = (gone: readonly Doomed[], bytes: number, dryRun: boolean): string =>
  `${counted(gone.length, 'log file')} (${formatBytes(bytes)}) ${dryRun ? 'would be removed' : 'removed'}.`
