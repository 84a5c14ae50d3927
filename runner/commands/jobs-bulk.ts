import { JOB_STATUSES } from '../../api/core/status.ts'
import { usageError } from '../command-line/error.ts'
import { wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { type Fields, needFields, optionsOf, readFields } from '../nouns/fields.ts'
import { counted } from '../screen/format.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

const OPERATIONS = ['cancel', 'reset', 'retry', 'priority', 'labels'] as const
type Operation = (typeof OPERATIONS)[number]

/** Which jobs: all conditions that are given have to be met. */
const SELECTOR: Fields = {
  status: { kind: 'texts', about: 'of these statuses', hint: 'STATUS,…' },
  name: { kind: 'texts', about: 'with these names' },
  pattern: { kind: 'text', about: 'whose name fits, with *, ? and [a-z]' },
  label: { kind: 'texts', about: 'with all of these labels' },
  tag: { kind: 'variables', about: 'with all of these tags' },
  resource_class: { kind: 'texts', about: 'that require these sets, by name' },
}

/** What an operation needs besides. */
const VALUES: Readonly<Record<Operation, Fields>> = {
  cancel: {},
  reset: {},
  retry: {},
  priority: { priority: { kind: 'integer', about: 'with priority: the new one', required: true } },
  labels: {
    set: { kind: 'texts', about: 'with labels: these and no others' },
    add: { kind: 'texts', about: 'with labels: these besides' },
    remove: { kind: 'texts', about: 'with labels: these no longer' },
  },
}

type Outcome = { matched_count: number; changed_count: number; dry_run: boolean }

export default defineVerb({
  about:
    'Change many jobs of a workflow at once: cancel, reset or retry them, or give them another priority or other labels. What an operation does not fit is left alone.',
  args: {
    operation: {
      type: 'positional',
      required: true,
      valueHint: OPERATIONS.join('|'),
      description: 'what to do with them',
    },
    ...WORKFLOW,
    ...optionsOf(SELECTOR),
    all: { type: 'boolean', description: 'all jobs; without any condition nothing is done' },
    ...optionsOf({ ...VALUES.priority, ...VALUES.labels }),
    'dry-run': { type: 'boolean', description: 'only count' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: [
    "jobs bulk retry 3 --status failed --pattern 'train_*' --dry-run",
    'jobs bulk priority 3 --label urgent --priority 10',
    'jobs bulk labels 3 --all --add north',
  ],
  async run(args) {
    const format = formatOf(args.format)
    const operation = wordFlag('the operation', args.operation, OPERATIONS)!
    const selector = { ...readSelector(args), ...(args.all ? { all: true } : {}) }
    if (Object.keys(selector).length === 0) {
      throw usageError(`Cannot ${operation} jobs as none are named: give a condition such as --status failed, or --all`)
    }
    const values = readFields(VALUES[operation], args)
    needFields(VALUES[operation], values)
    if (operation === 'labels' && Object.keys(values).length === 0) {
      throw usageError('Cannot go on without --set, --add or --remove: --help shows an example')
    }
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const body = { selector, ...values, dry_run: args['dry-run'] === true }
      // The same change again finds nothing left to do.
      const reply = await client.request<Outcome>('POST', `/workflows/${id}/jobs/${operation}`, body, {
        repeatable: true,
      })
      const outcome = expectValue(reply, `${operation} jobs of workflow ${id}`, where)
      if (format === 'json') printJson(outcome)
      else {
        const done = outcome.dry_run ? 'would change' : 'changed'
        print(
          `Workflow ${id}: ${counted(outcome.matched_count, 'job')} found, ${outcome.changed_count} ${done} by ${operation}.`,
        )
      }
      return 0
    })
  },
})

function readSelector(given: Record<string, unknown>): Record<string, unknown> {
  const selector = readFields(SELECTOR, given)
  for (const status of (selector.status as string[] | undefined) ?? []) wordFlag('--status', status, JOB_STATUSES)
  return selector
}
