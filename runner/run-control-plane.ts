import { join } from 'node:path'
import { must } from './client/must.ts'
import { createPatientClient } from './client/patient-client.ts'
import { type Client, createClient } from './client.ts'
import { createFromFile, type ExpandedFile } from './create-workflow.ts'
import { INFO_NAME } from './defaults.ts'
import { createEpochs, type Epochs } from './outbox/epoch.ts'
import type { RunSettings } from './run-options.ts'
import { callerName } from './user.ts'

export type ControlPlane = {
  /** For steps that are taken once: waits for a server that is being started anew. */
  client: Client
  /** For the loop, which waits by itself: tells soon that nobody answers. */
  prompt: Client
  apiUrl: string
  /** Creates the workflow of an expanded file; returns its id. */
  create(spec: ExpandedFile): Promise<number>
  /** Which database answers; absent when it is in this process. */
  epochs?: Epochs
  close(): Promise<void>
}

/** Opens the control plane of a run: the server that was named, or one in this process on the database of the output directory. */
export async function openControlPlane(options: RunSettings): Promise<ControlPlane> {
  if (options.controlPlane.kind === 'server') {
    const { address } = options.controlPlane
    const { openPoolTransport } = await import('./client/pool-transport.ts')
    const epochs = createEpochs()
    const prompt = createClient(epochs.watch(await openPoolTransport(address, process.env)), address)
    const client = createPatientClient(prompt)
    return {
      client,
      prompt,
      epochs,
      apiUrl: address.baseUrl,
      create: spec => createByRequest(client, spec),
      close: () => client.close(),
    }
  }
  const { startLocalServer } = await import('./local-server.ts')
  const { createEmbeddedClient } = await import('./client/embedded-client.ts')
  const server = await startLocalServer({
    dbPath: options.controlPlane.dbPath,
    durability: options.durability,
    infoPath: join(options.outputDir, INFO_NAME),
  })
  const client = createEmbeddedClient(server)
  return {
    client,
    prompt: client,
    apiUrl: `${server.url}/torc-service/v1`,
    create: spec =>
      // Sharing with groups has rules, which the API holds.
      spec.workflow.accessGroups.length > 0
        ? createByRequest(client, spec)
        : server.createWorkflow(spec.workflow, {
            user: callerName(),
            submissionDirectory: process.cwd(),
            sourcePath: spec.path,
            sourceHash: spec.hash,
          }),
    close: () => server.close(),
  }
}

async function createByRequest(client: Client, spec: ExpandedFile): Promise<number> {
  return (await must(createFromFile(client, spec, process.cwd()))).workflow_id
}
