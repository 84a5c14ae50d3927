import { resolve } from 'node:path'
import { detectCapacity } from '../capacity/detect.ts'
import { CommandError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { configPlaces, readConfigFiles } from '../config/files.ts'
import { checkResolved, resolveSettings } from '../config/resolve.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { checkDirectory } from '../doctor/directory.ts'
import { bad, type Finding, ok } from '../doctor/finding.ts'
import { checkCapacity, checkLauncher, checkMemoryLimits, checkNode, checkScheduler } from '../doctor/machine.ts'
import { checkServer } from '../doctor/server.ts'
import { findBinary } from '../launcher/binary.ts'
import { whyNoMemoryGroups } from '../launcher/memory-groups.ts'
import type { Paint } from '../screen/color.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Check this machine, the server, the clock, the output directory and the batch scheduler, and say what is wrong.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['doctor', 'doctor --url http://login1:8080'],
  exitCodes: { 0: 'nothing is in the way', 1: 'something is' },
  async run(args) {
    const format = formatOf(args.format)
    const findings = [
      checkNode(process.versions.node, process.platform, process.arch),
      checkCapacity(detectCapacity()),
      checkLauncher(await findBinary()),
      checkMemoryLimits(whyNoMemoryGroups()),
      checkConfiguration(),
      checkDirectory(resolve(args['output-dir'] ?? OUTPUT_DIR)),
      ...(await checkServer(args, process.env)),
      checkScheduler(process.env),
    ]
    const healthy = findings.every(finding => finding.state !== 'bad')
    if (format === 'json') printJson({ healthy, findings })
    else print(findings.map(finding => lineOf(finding, stdoutPaint())).join('\n'))
    return healthy ? 0 : 1
  },
})

function checkConfiguration(): Finding {
  try {
    const files = readConfigFiles(configPlaces(process.env, process.cwd()))
    for (const [name, resolved] of resolveSettings(files, process.env)) checkResolved(name, resolved)
    return ok('configuration', files.length === 0 ? 'no files' : files.map(file => file.path).join(', '))
  } catch (error) {
    if (error instanceof CommandError) return bad('configuration', error.message)
    throw error
  }
}

function lineOf({ check, state, message }: Finding, paint: Paint): string {
  const word = { ok: paint.good('ok  '), warn: paint.strong('warn'), bad: paint.bad('bad ') }[state]
  return `${word}  ${check.padEnd(13)}  ${message}`
}
