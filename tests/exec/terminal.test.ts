import { existsSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { clientPath, kinds, type LentNode, openNode, startProgram } from './node.ts'

const hasScript = existsSync('/usr/bin/script')
const withTerminal = skipUnless(hasScript, 'no script(1): local launches at a terminal')

/** Runs a command line at a terminal of its own; what is written to `input` is typed. */
function atTerminal(node: LentNode, line: string) {
  const quoted = line.replaceAll("'", `'\\''`)
  return startProgram(
    node.site,
    '/bin/sh',
    ['-c', `mkfifo keys; exec script -qec '${quoted}' /dev/null <>keys`],
    node.env,
  )
}

describe.each(kinds)('hr-exec at a terminal, %s', kind => {
  withTerminal('S82 a terminal stays a terminal', async () => {
    const node = await openNode(kind)
    const test = `${clientPath(kind)} sh -c "test -t 0 && test -t 1 && test -t 2 && echo a terminal"`
    const ended = await atTerminal(node, test).ended
    expect(ended.stdout.replaceAll('\r', '')).toBe('a terminal\n')
  })

  withTerminal('S82 the command reads what is typed', async () => {
    const node = await openNode(kind)
    const running = atTerminal(node, `${clientPath(kind)} sh -c "echo ready; read -r line; echo got \\$line"`)
    await waitUntil(
      'the command reads',
      () => running.output.stdout,
      seen => seen.includes('ready'),
    )
    await startProgram(node.site, '/bin/sh', ['-c', 'echo words >keys'], node.env).ended
    const { stdout } = await running.ended
    expect(stdout).toContain('got words')
  })

  withTerminal('Ctrl-C ends the command, and its cores are given back', async () => {
    const node = await openNode(kind)
    const running = atTerminal(node, `${clientPath(kind)} sh -c "echo ready; exec sleep 100"; echo code $?`)
    await waitUntil(
      'the command runs',
      () => running.output.stdout,
      seen => seen.includes('ready'),
    )
    await startProgram(node.site, '/bin/sh', ['-c', `printf '\\003' >keys`], node.env).ended
    await running.ended
    await node.waitForStatus('the cores are free', ({ free }) => free.cpus === 8)
  })
})
