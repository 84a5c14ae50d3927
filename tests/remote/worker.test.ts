import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { directoryOn, sshOptions } from '../../runner/remote/options.ts'
import { folderWord, readLines, startScript } from '../../runner/remote/scripts.ts'
import { parseWorker, parseWorkerFile } from '../../runner/remote/worker.ts'
import { waitUntil } from '../launcher/harness.ts'

describe('parseWorker()', () => {
  test.each([
    ['n1', 'n1', undefined],
    ['ada@n1.example.org', 'ada@n1.example.org', undefined],
    ['ada@n1:2222', 'ada@n1', 2222],
    ['ada@[fe80::1%eth0]:22', 'ada@fe80::1%eth0', 22],
  ])('reads %s', (name, destination, port) => {
    expect(parseWorker(name)).toMatchObject({ name, destination, port })
  })

  test.each(['', '-oProxyCommand=x', 'ada@-n1', '@n1', 'n1:0', 'n1:70000', 'n1:x', 'a b', 'n1;rm', '$(x)', 'n1\nn2'])(
    'refuses %j, which ssh or a shell might read as something else',
    name => {
      expect(() => parseWorker(name)).toThrow('[user@]host[:port]')
    },
  )

  test('names the files of workers apart', () => {
    expect(['ada@n1', 'bob@n1', 'ada@n1:22'].map(name => parseWorker(name).folder)).toEqual([
      'ada_n1',
      'bob_n1',
      'ada_n1_22',
    ])
  })
})

test('parseWorkerFile() reads a worker from each line and no remarks', () => {
  expect(parseWorkerFile('# ours\nn1\n\n  ada@n2  # the new one\r\n')).toEqual(['n1', 'ada@n2'])
})

/** How the runner in a folder has ended, once it has. */
const codeIn = (directory: string): string => {
  const path = join(directory, 'runner.exit')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

describe('the scripts of workers', () => {
  const start = (fields: object) =>
    startScript({
      directory: 'a',
      cwd: undefined,
      program: undefined,
      ownProgram: ['/usr/bin/node', '/opt/runner.mjs'],
      words: ['run', '3'],
      environment: {},
      ...fields,
    })

  test('quote what a shell would read as something else', () => {
    const script = start({ directory: "it's $HOME", environment: { HEADRACE_TOKEN: "a'b$(c)" } })
    expect(script).toContain(`dir="$HOME"/'it'\\''s $HOME'`)
    expect(script).toContain(`export HEADRACE_TOKEN='a'\\''b$(c)'`)
    expect(folderWord('/abs/a b')).toBe("'/abs/a b'")
  })

  test('startScript() is not misled by the pid that a start has left which was cut off', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'headrace-remote-'))
    writeFileSync(join(directory, 'runner.new'), '4194305')
    const script = start({ directory, program: `sh -c 'exec sleep 30' runner` })
    const { pid, state } = readLines(execFileSync('sh', ['-s'], { input: script, encoding: 'utf8' }))
    expect(state).toBe('running')
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('sleep')
    process.kill(Number(pid))
    await waitUntil(
      'its end is noted',
      () => codeIn(directory),
      code => code !== '',
    )
    rmSync(directory, { recursive: true })
  })

  test('readLines() takes the states they print, and nothing that a login shell says before', () => {
    expect(readLines('Welcome!\nx=1\npid=12\nlast=a=b\nstate=running\n')).toEqual({
      pid: '12',
      last: 'a=b',
      state: 'running',
    })
  })
})

test('directoryOn() keeps workflows and workers apart below one directory', () => {
  const worker = parseWorker('ada@n1')
  expect(directoryOn(worker, 3, undefined)).toBe('headrace_remote/wf3/ada_n1')
  expect(directoryOn(worker, 4, '/scratch/ada/')).toBe('/scratch/ada/wf4/ada_n1')
  expect(() => directoryOn(worker, 3, '')).toThrow('empty')
})

test('sshOptions() refuses what is no option of ssh', () => {
  expect(sshOptions(['Port=22', 'IdentityFile ~/x'], {}).settings).toHaveLength(2)
  for (const bad of ['Port', '-v', '=x', '']) expect(() => sshOptions([bad], {})).toThrow('KEY=VALUE')
})
