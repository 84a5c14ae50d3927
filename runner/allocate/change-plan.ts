import type { PlanState } from '../../api/core/allocation-states.ts'
import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from '../commands/ask.ts'
import { planName } from './options.ts'
import type { WirePlan } from './wire.ts'

/** What the three verbs that change a plan differ in. */
type Change = { word: string; about: string; state: PlanState; after: string }

/** A verb that brings a plan into another state; whoever sees to it acts on that at the next look. */
export function changePlanVerb({ word, about, state, after }: Change): Verb {
  return defineVerb({
    about,
    args: {
      ...WORKFLOW,
      plan: { type: 'string', valueHint: 'NAME', description: 'name of the plan (default: default)' },
      ...FORMAT,
      ...CONTROL_PLANE,
    },
    examples: [`allocate ${word} 3`],
    async run(args) {
      const format = formatOf(args.format)
      const name = planName(args.plan)
      return withControlPlane(args, async controlPlane => {
        const id = await workflowId(controlPlane, args.workflow)
        const { client, where } = controlPlane
        const path = `/workflows/${id}/allocation_plans`
        const doing = `${word} plan ${name} of workflow ${id}`
        const { items } = expectValue(await client.request<{ items: WirePlan[] }>('GET', path), doing, where)
        const plan = items.find(candidate => candidate.name === name)
        if (plan === undefined)
          throw cannotRun(`Cannot ${doing} as there is none: runner allocate status ${id} lists those there are`)
        const changed = expectValue(
          await client.request<WirePlan>('PUT', `${path}/${plan.id}`, { state }),
          doing,
          where,
        )
        if (format === 'json') printJson(changed)
        else print(`Plan ${name} of workflow ${id} is ${changed.state}: ${after}.`)
        return 0
      })
    },
  })
}
