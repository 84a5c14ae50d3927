import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { databaseIn, timeRun } from '../headrace.ts'
import { run } from '../process.ts'
import { makefileOf } from '../reference/makefile.ts'
import { stagesOf } from '../reference/stages.ts'
import { hasTool } from '../tools.ts'
import type { Case, Contender, Line, Setting } from '../types.ts'
import { checkPipelineOutputs, loadPipeline, type Pipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 1_000, quick: 10 }

export const pipeline: Case = {
  name: 'pipeline',
  about: '1,000 chains of three jobs and a final one, command to exit, two at once',
  async prepare(setting) {
    const work = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    const make = hasTool('make') ? [makeContender(work)] : []
    const others = [
      ...(hasTool('xargs') ? [stagedContender('xargs', 'xargs -0 -P2 -n1 bash -c', work)] : []),
      ...(hasGnuParallel() ? [stagedContender('parallel', 'parallel -0 -j2', work)] : []),
    ]
    const contenders = [headraceContender(setting, work), ...make, ...others]
    const missing = ['make', 'xargs', 'parallel'].filter(name => !contenders.some(contender => contender.name === name))
    return {
      contenders,
      lines: contenders.map(({ name }): Line => {
        const line = { contender: name, figure: 'wall', unit: 's' } as const
        if (make.length === 0 || name === 'make') return line
        return { ...line, against: { contender: 'make', target: name === 'headrace' ? { most: 1.25 } : undefined } }
      }),
      notes: missing.map(name => `no row for ${name}: it is not installed`),
    }
  },
}

function headraceContender(setting: Setting, work: Pipeline): Contender {
  return {
    name: 'headrace',
    async run(directory) {
      writeFileSync(join(directory, 'pipeline.yaml'), work.text)
      const wall = await timeRun(setting, directory, 'pipeline.yaml')
      checkPipelineOutputs(directory, work)
      expectAllCompleted(databaseIn(directory), work.jobs.length, work.jobs.length)
      return { wall }
    },
  }
}

function makeContender(work: Pipeline): Contender {
  return {
    name: 'make',
    async run(directory) {
      writeFileSync(join(directory, 'Makefile'), makefileOf(work.jobs))
      const { wallSeconds } = await run('make', ['-s', '-j2'], { cwd: directory })
      checkPipelineOutputs(directory, work)
      return { wall: wallSeconds }
    },
  }
}

/** A program that runs the commands it reads, separated by NUL, two at once: stage by stage, since it knows no dependencies. */
function stagedContender(name: string, command: string, work: Pipeline): Contender {
  const stages = stagesOf(work.jobs)
  return {
    name,
    async run(directory) {
      stages.forEach((jobs, stage) => {
        writeFileSync(join(directory, `stage-${stage}`), jobs.map(job => `${job.command}\0`).join(''))
      })
      const script = `for stage in stage-*; do ${command} < $stage || exit 1; done`
      const { wallSeconds } = await run('bash', ['-c', script], { cwd: directory, env: { SHELL: '/bin/bash' } })
      checkPipelineOutputs(directory, work)
      return { wall: wallSeconds }
    },
  }
}

/** moreutils has another program of the same name. */
function hasGnuParallel(): boolean {
  return hasTool('parallel') && execFileSync('parallel', ['--version'], { encoding: 'utf8' }).startsWith('GNU parallel')
}
