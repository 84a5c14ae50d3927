import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { openProgram, type Program } from '../cli/program.ts'
import type { RealScheduler } from '../helpers/real-schedulers.ts'

/** A user in front of a real Slurm: a server, and commands that submit workflows and look how they go. */
export type Submitting = {
  program: Program
  /** A command that has to succeed; returns what it prints. */
  run(...words: string[]): Promise<string>
  /** The document that a command prints. */
  documentOf(words: string): Promise<Document>
  /** Submits a workflow file of this text; returns the workflow's id. */
  submit(name: string, text: string): Promise<number>
  countsOf(id: number): Promise<Record<string, number>>
  allocationsOf(id: number): Promise<{ scheduler_id: number; status: string }[]>
  /** Waits until a count of jobs is as wanted; the last state is in the message. */
  untilCounted(id: number, status: string, count: number): Promise<void>
  /** Ids in Slurm's queue, a line each. */
  queue(): string
  untilEmpty(): Promise<void>
  /** What the jobs of a workflow have printed. */
  printed(id: number): string[]
  close(): void
}

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a document by asserting it
type Document = any

/** Starts a server that the cluster's nodes reach. */
export async function openSubmitting(slurm: RealScheduler): Promise<Submitting> {
  const program = openProgram()
  const server: ChildProcess = program.start(['server', '--port', '0'])
  const outputOf = (name: string): string => join(program.directory, 'headrace_output', name)
  await vi.waitUntil(() => existsSync(outputOf('headrace.json')), { timeout: 30_000 })

  async function run(...words: string[]): Promise<string> {
    const ended = await program.run(words, slurm.env)
    expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code: 0 })
    return ended.stdout
  }
  const documentOf = async (words: string) => JSON.parse(await run(...words.split(' '), '--format', 'json'))
  const countsOf = async (id: number) => (await documentOf(`status ${id}`)).jobs_by_status
  const queue = (): string => execFileSync('squeue', ['-h', '-o', '%A'], { env: slurm.env, encoding: 'utf8' }).trim()

  return {
    program,
    run,
    documentOf,
    async submit(name, text) {
      writeFileSync(join(program.directory, name), text)
      return (await documentOf(`submit ${name}`)).workflow_id
    },
    countsOf,
    allocationsOf: async id => (await documentOf(`scheduled-compute-nodes list ${id}`)).items,
    async untilCounted(id, status, count) {
      await vi.waitFor(async () => expect(await countsOf(id)).toMatchObject({ [status]: count }), {
        timeout: 120_000,
        interval: 1_000,
      })
    },
    queue,
    untilEmpty: () => vi.waitFor(() => expect(queue()).toBe(''), { timeout: 60_000, interval: 1_000 }),
    printed: id =>
      readdirSync(outputOf('job_stdio'))
        .filter(name => name.startsWith(`job_wf${id}_`) && name.endsWith('.o'))
        .flatMap(name =>
          readFileSync(outputOf(`job_stdio/${name}`), 'utf8')
            .trim()
            .split('\n'),
        ),
    close() {
      server.kill()
      program.close()
    },
  }
}
