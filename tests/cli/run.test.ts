import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)

const FAILING = `
name: failing
jobs:
  - { name: good, command: echo fine }
  - { name: bad, command: 'echo about to fail; echo the reason >&2; exit 3' }
  - { name: below, command: 'true', depends_on: [bad] }
`

describe('runner run', () => {
  test.each(['diamond', 'sweep'])('runs examples/%s.yaml as it is, to a result that can be read', async name => {
    copyFileSync(
      fileURLToPath(new URL(`../../examples/${name}.yaml`, import.meta.url)),
      join(program.directory, 'flow.yaml'),
    )
    const { code, stdout } = await program.run(['run', 'flow.yaml'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Workflow 1 \\(${name}\\), run 0: all \\d+ jobs completed in `))
    const result = { diamond: 'diamond_data/report.txt', sweep: 'sweep_data/best.txt' }[name]!
    expect(readFileSync(join(program.directory, result), 'utf8')).toMatch(
      { diamond: /0\.030 degrees a year/, sweep: /farthest throw: / }[name]!,
    )
  })

  test('ends with 1 when a job failed, names its log file and shows its last lines', async () => {
    write('flow.yaml', FAILING)
    const { code, stdout } = await program.run(['run', 'flow.yaml'])
    expect(code).toBe(1)
    expect(stdout).toContain('1 of 3 jobs completed')
    expect(stdout).toContain('bad (job 2) failed with return code 3 (exit_code)')
    expect(stdout).toContain('  headrace_output/job_stdio/job_wf1_j2_r0_a1.e\n')
    expect(stdout).toContain('  | the reason\n')
  })

  test('prints one document with --format json, and progress on standard error', async () => {
    write('flow.yaml', FAILING)
    const { code, stdout, stderr } = await program.run(['run', 'flow.yaml', '--format', 'json'])
    expect(code).toBe(1)
    const document = JSON.parse(stdout)
    expect(document).toMatchObject({
      workflow_id: 1,
      run_id: 0,
      counts: { completed: 1, failed: 1, canceled: 1, ready: 0 },
    })
    expect(document.wall_seconds).toBeGreaterThan(0)
    expect(stderr.trimEnd().split('\n').at(-1)).toContain('3 of 3 jobs done (100%), 2 without success')
  })

  test('S104 the same command again runs nothing, and asks for --new when the file has changed', async () => {
    write('flow.yaml', "name: once\njobs: [{ name: a, command: 'echo ran >> ran.txt' }]\n")
    const runs = () => readFileSync(join(program.directory, 'ran.txt'), 'utf8').split('\n').length - 1
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(0)

    const again = await program.run(['run', 'flow.yaml'])
    expect(again.code).toBe(0)
    expect(again.stdout).toContain('finished before, nothing to run')
    expect(runs()).toBe(1)

    write('flow.yaml', "name: once\njobs: [{ name: a, command: 'echo changed >> ran.txt' }]\n")
    const changed = await program.run(['run', 'flow.yaml'])
    expect(changed.code).toBe(2)
    expect(changed.stderr).toContain('--new')
    expect((await program.run(['run', 'flow.yaml', '--new'])).code).toBe(0)
    expect(runs()).toBe(2)
  })

  test('S104 --retry-failed runs the failed jobs and what hangs below them again', async () => {
    write('flow.yaml', FAILING.replace('exit 3', 'test -e repaired'))
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
    write('repaired', '')
    const { code, stdout } = await program.run(['run', 'flow.yaml', '--retry-failed', '--format', 'json'])
    expect({ code, completed: JSON.parse(stdout).counts.completed }).toEqual({ code: 0, completed: 3 })
  })

  test('refuses a bad file with every error on a line of its own, exit code 2', async () => {
    write('flow.yaml', 'name: bad\njobs:\n  - { name: a, comand: x }\n  - { name: b, command: x, depends_on: [c] }\n')
    const { code, stdout, stderr } = await program.run(['run', 'flow.yaml'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const errors = stderr.trimEnd().split('\n')
    expect(errors.length).toBeGreaterThanOrEqual(2)
    for (const line of errors) expect(line).toMatch(/^flow\.yaml:\d+:\d+: error: /)
  })

  test.each(['/proc/headrace', 'file/output'])(
    'says in one line that it cannot write in %s, exit code 3',
    async outputDir => {
      write('flow.yaml', FAILING)
      write('file', '')
      const { code, stderr } = await program.run(['run', 'flow.yaml', '--output-dir', outputDir])
      expect(code).toBe(3)
      expect(stderr).toMatch(/^Cannot write in .*--output-dir\n$/)
    },
  )

  describe('at Ctrl-C', () => {
    const WAITING = `
name: waiting
jobs:
  - { name: first, command: 'touch started; until test -e go; do sleep 0.05; done' }
  - { name: second, command: 'true', depends_on: [first] }
`

    /** Starts the run and interrupts it once its first job runs; resolves when it has said so. */
    async function interrupted() {
      write('flow.yaml', WAITING)
      const child = program.start(['run', 'flow.yaml'])
      const seen = { stdout: '', stderr: '' }
      child.stdout!.on('data', chunk => {
        seen.stdout += chunk
      })
      child.stderr!.on('data', chunk => {
        seen.stderr += chunk
      })
      const ended = once(child, 'close')
      await waitUntil(() => existsSync(join(program.directory, 'started')), seen)
      child.kill('SIGINT')
      await waitUntil(() => seen.stderr.includes('Ctrl-C: finishing 1 running job, again to stop now'), seen)
      return { child, seen, ended }
    }

    test('finishes what runs, starts nothing new and says how to go on', async () => {
      const { seen, ended } = await interrupted()
      write('go', '')
      expect(await ended).toEqual([1, null])
      expect(seen.stdout).toContain('Interrupted with 1 job left: the same command goes on.')
      expect((await program.run(['run', 'flow.yaml'])).code).toBe(0)
    })

    test('pressed again, ends what runs, which the same command runs again', async () => {
      const { child, seen, ended } = await interrupted()
      child.kill('SIGINT')
      expect(await ended).toEqual([1, null])
      expect(seen.stdout).toContain('Interrupted with 2 jobs left: the same command goes on.')
      write('go', '')
      expect((await program.run(['run', 'flow.yaml'])).code).toBe(0)
    })
  })

  test('is answered by runner status from the running process', async () => {
    write('flow.yaml', "name: waits\njobs: [{ name: a, command: 'until test -e go; do sleep 0.05; done' }]\n")
    const run = program.start(['run', 'flow.yaml'])
    const ended = once(run, 'close')
    await waitForRunning()
    write('go', '')
    expect(await ended).toEqual([0, null])
    expect(existsSync(join(program.directory, 'headrace_output/headrace.json'))).toBe(false)
    expect((await program.run(['status'])).stdout).toContain('finished, 1 of 1 job done')
  })

  /** Asks until the job is seen running; each question is a command of its own. */
  async function waitForRunning(): Promise<void> {
    const until = Date.now() + 20_000
    for (;;) {
      const { stdout, stderr } = await program.run(['status', '--format', 'json'])
      if (stdout !== '' && JSON.parse(stdout).jobs_by_status.running === 1) return
      if (Date.now() > until) throw new Error(`The job was never seen running: ${stdout}${stderr}`)
    }
  }

  test('runs against a server of --url', async () => {
    write(
      'flow.yaml',
      "name: remote\njobs: [{ name: a, command: 'true' }, { name: b, command: 'true', depends_on: [a] }]\n",
    )
    const server = program.start(['server', '--port', '0', '--output-dir', 'served'])
    const url = await new Promise<string>(resolve => {
      server.stderr!.on('data', chunk => {
        const found = /http:\S+?(?=,)/.exec(String(chunk))
        if (found !== null) resolve(found[0])
      })
    })
    const { code, stdout, stderr } = await program.run(['run', 'flow.yaml', '--url', url])
    expect({ code, stderr: stderr.includes('error') }).toEqual({ code: 0, stderr: false })
    expect(stdout).toContain('all 2 jobs completed')
    server.kill()
    await once(server, 'close')
  })
})

async function waitUntil(fact: () => boolean, state: object): Promise<void> {
  const until = Date.now() + 20_000
  while (!fact()) {
    if (Date.now() > until) throw new Error(`It never came true: ${fact}, last state ${JSON.stringify(state)}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
