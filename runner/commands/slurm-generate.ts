import { FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import { generateSpec } from '../slurm/generate.ts'
import { PLAN_OPTIONS, readPlanOptions } from '../slurm/plan-flags.ts'
import { planDocument, renderPlan } from '../slurm/show-plan.ts'
import { outputFile, SPEC_OUTPUT, specFormatOf, writeResult } from '../spec-output.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Give a workflow file the Slurm schedulers that its jobs need, and actions that ask for their allocations when jobs are ready.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'workflow file: YAML, JSON, JSON5 or KDL',
    },
    ...PLAN_OPTIONS,
    'no-actions': { type: 'boolean', description: 'only schedulers; allocations are asked for with schedule-nodes' },
    overwrite: { type: 'boolean', description: 'replace the schedulers and schedule_nodes actions of the file' },
    'dry-run': { type: 'boolean', description: 'show the plan, write nothing' },
    ...SPEC_OUTPUT,
    ...FORMAT,
  },
  examples: [
    'slurm generate flow.yaml --account physics -o flow-slurm.yaml',
    'slurm generate flow.yaml --account physics --profile kestrel --dry-run',
  ],
  async run(args) {
    const output = outputFile(args.output)
    const format = formatOf(args.format)
    const profile = await chooseProfile(args.profile, surroundings())
    const { text, plan } = await generateSpec(args.file, process.cwd(), profile, {
      ...readPlanOptions(args, profile),
      overwrite: args.overwrite === true,
      actions: args['no-actions'] !== true,
      to: specFormatOf(output),
    })
    const written = args['dry-run'] === true ? undefined : output
    if (written !== undefined) writeResult(written, text, args.force === true)
    if (format === 'json') {
      const items = planDocument(plan)
      printJson({ profile: profile.name, items, count: items.length, output: written })
    } else if (args['dry-run'] || written !== undefined) print(renderPlan(plan, screenWidth()))
    else print(text)
    return 0
  },
})
