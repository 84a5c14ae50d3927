import { expect, it } from 'vitest'
import { completionOf } from '../helpers/completion.ts'
import { api, target, twin } from './client.ts'
import { claim, jobsNamed, start } from './workflow.ts'

/** Opens a workflow's stream and gives the event types and numbers as they come. */
async function openStream(url: string, workflowId: number, lastEventId?: string) {
  const headers: Record<string, string> = { authorization: `Bearer ${target.token}` }
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
  const abort = new AbortController()
  const response = await fetch(`${url}/v1/workflows/${workflowId}/events/stream`, { headers, signal: abort.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function next(type: string): Promise<string> {
    for (;;) {
      const found = new RegExp(`event: ${type}\\ndata: .*\\nid: (\\d+)\\n\\n`).exec(text)
      if (found !== null) return found[1]!
      const { value, done } = await reader.read()
      if (done) throw new Error(`The stream ended before ${type}: ${text}`)
      text += value
    }
  }
  return { response, next, seen: () => text, close: () => abort.abort() }
}

it('events: a stream shows what another control plane does, and resumes where it was left', async () => {
  const started = await start(api, jobsNamed('a', 'b'))
  const stream = await openStream(target.url, started.workflowId)
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
  const held = await claim(twin, started)
  const complete = (index: number) =>
    twin.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
      completions: [completionOf(started, held[index]!.id, { claim_token: held[index]!.claim_token })],
    })
  await complete(0)
  const id = await stream.next('job_completed')
  stream.close()

  await complete(1)
  const resumed = await openStream(target.twinUrl ?? target.url, started.workflowId, id)
  await resumed.next('job_completed')
  expect(resumed.seen()).toContain('"job_name":"b"')
  expect(resumed.seen()).not.toContain('"job_name":"a"')
  resumed.close()
})
