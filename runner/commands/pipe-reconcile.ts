import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { openReachable } from '../pipe/control-plane.ts'
import { type PipeReport, reconcilePipeRuns } from '../pipe/reconcile.ts'
import { renderProgress } from '../pipe/render.ts'
import { formatOf, useControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Look after all pipe runs of a workflow once: ask the scheduler, submit more elements where work is left and none is there, tell results, end what is over. Doing it twice, or twice at once, changes nothing.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe reconcile 3'],
  exitCodes: { 1: 'looking after a run went wrong' },
  async run(args) {
    const format = formatOf(args.format)
    return useControlPlane(await openReachable(args, process.env, { mayServe: false }), async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const note = (line: string): void => void process.stderr.write(`${line}\n`)
      const context = { client: controlPlane.client, proof: controlPlane.address, note }
      const reports = await reconcilePipeRuns(context, id)
      if (format === 'json') printJsonList(reports.map(toItem))
      else print(reports.map(({ run }) => renderProgress(run)).join('\n') || 'No pipe runs.')
      return reports.some(({ error }) => error !== undefined) ? 1 : 0
    })
  },
})

const toItem = ({ run, decision, submitted, ingestion, error }: PipeReport) => ({
  id: run.id,
  state: run.state,
  decision,
  submitted: submitted?.kind,
  results: ingestion?.results,
  unreadable: run.unreadable,
  error,
})
