import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { freePort } from '../helpers/free-port.ts'
import { type Sqld, startSqld } from '../helpers/sqld.ts'
import { startWatched, waitForServer } from '../helpers/watched-process.ts'

export const TARGETS = ['node+file', 'node+sqld', 'deno+sqld', 'workerd+sqld'] as const
export type TargetName = (typeof TARGETS)[number]

/** A control plane that runs as it would be deployed. */
export type Target = {
  name: string
  url: string
  token: string
  /** Where a request makes the runtime's cron trigger go off; undefined where a timer ticks. */
  tickUrl?: string
  /** A second control plane over the same database; undefined for a file, which has one owner. */
  twinUrl?: string
  /** The database server and its process; undefined for a file. */
  databaseUrl?: string
  databasePid?: number
}

export type RunningTarget = Target & { stop(): Promise<void> }

const ROOT = new URL('../..', import.meta.url).pathname
const BIN = join(ROOT, 'tests/node_modules/.bin')
const TOKEN = 'conformance-token'
/** Receivers of webhooks are on this machine. */
const WEBHOOK_HOST = 'localhost'

type Settings = {
  /** A second control plane over the same database, where that can be. */
  twin?: boolean
  /** Webhooks may go to addresses that are not public. */
  webhookInside?: boolean
}

const edgeSettings = (webhookInside: boolean) => ({
  HEADRACE_TOKEN: TOKEN,
  HEADRACE_WEBHOOK_HOSTS: WEBHOOK_HOST,
  HEADRACE_WEBHOOK_INSIDE: String(webhookInside),
})

/** Starts a control plane of that kind, with a database of its own. It does not outlive the tests. */
export async function startTarget(name: TargetName, settings: Settings = {}): Promise<RunningTarget> {
  const { twin = true, webhookInside = true } = settings
  const folder = mkdtempSync(join(tmpdir(), 'headrace-target-'))
  const sqld = name === 'node+file' ? undefined : await startSqld()
  const planes: Plane[] = []
  try {
    const start = () => startPlane(name, { folder, sqld, webhookInside })
    planes.push(await start())
    if (twin && sqld !== undefined) planes.push(await start())
  } finally {
    if (planes.length === 0) await sqld?.stop()
  }
  return {
    name,
    url: planes[0]!.url,
    token: TOKEN,
    tickUrl: planes[0]!.tickUrl,
    twinUrl: planes[1]?.url,
    databaseUrl: sqld?.url,
    databasePid: sqld?.pid(),
    async stop() {
      for (const plane of planes) await plane.stop()
      await sqld?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Plane = { url: string; tickUrl?: string; stop(): Promise<void> }

type Place = { folder: string; sqld: Sqld | undefined; webhookInside: boolean }

async function startPlane(name: TargetName, { folder, sqld, webhookInside }: Place): Promise<Plane> {
  switch (name) {
    case 'node+file':
    case 'node+sqld':
      return startNode(mkdtempSync(join(folder, 'node-')), sqld?.url, webhookInside)
    case 'deno+sqld':
      return startDeno(sqld!.url, webhookInside)
    case 'workerd+sqld':
      return startWorkerd(join(folder, 'bundle'), sqld!.url, webhookInside)
  }
}

async function startNode(folder: string, databaseUrl: string | undefined, webhookInside: boolean): Promise<Plane> {
  const port = await freePort()
  const database = databaseUrl === undefined ? [] : ['--db', databaseUrl]
  const args = [
    ...[join(ROOT, 'dist/runner.cjs'), 'server', '--port', String(port), '--output-dir', folder],
    ...['--webhook-host', WEBHOOK_HOST, ...(webhookInside ? ['--webhook-inside'] : [])],
    ...database,
  ]
  return serve(process.execPath, args, { HEADRACE_TOKEN: TOKEN }, `http://127.0.0.1:${port}`)
}

async function startDeno(databaseUrl: string, webhookInside: boolean): Promise<Plane> {
  const port = await freePort()
  const env = {
    ...edgeSettings(webhookInside),
    HEADRACE_DB_URL: databaseUrl,
    HEADRACE_PORT: String(port),
    DENO_NO_UPDATE_CHECK: '1',
    DENO_NO_PROMPT: '1',
  }
  return serve(join(BIN, 'deno'), ['task', 'start'], env, `http://127.0.0.1:${port}`)
}

async function serve(command: string, args: string[], env: NodeJS.ProcessEnv, url: string): Promise<Plane> {
  const child = startWatched(command, args, env, ROOT)
  await waitForServer(child, `${url}/v1/ping`, { authorization: `Bearer ${TOKEN}` })
  return { url, stop: child.end }
}

async function startWorkerd(folder: string, databaseUrl: string, webhookInside: boolean): Promise<Plane> {
  if (!existsSync(folder)) bundleWorker(folder)
  const wasm = readdirSync(folder).filter(file => file.endsWith('.wasm'))
  const miniflare = new Miniflare({
    rootPath: folder,
    modulesRoot: folder,
    modules: [
      { type: 'ESModule', path: join(folder, 'worker.js') },
      ...wasm.map(file => ({ type: 'CompiledWasm' as const, path: join(folder, file) })),
    ],
    compatibilityDate: compatibilityDate(),
    bindings: { ...edgeSettings(webhookInside), HEADRACE_DB_URL: databaseUrl },
    port: await freePort(),
    unsafeTriggerHandlers: true,
    cf: false,
  })
  const url = (await miniflare.ready).href.replace(/\/$/, '')
  return { url, tickUrl: `${url}/cdn-cgi/handler/scheduled`, stop: () => miniflare.dispose() }
}

/** What `wrangler deploy` would upload. */
export function bundleWorker(folder: string): void {
  execFileSync(join(BIN, 'wrangler'), ['deploy', '--dry-run', '--minify', '--outdir', folder], {
    cwd: ROOT,
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      CI: '1',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function compatibilityDate(): string {
  const text = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
  const date = /^compatibility_date = "(.*)"$/m.exec(text)?.[1]
  if (date === undefined) throw new Error('Cannot find compatibility_date in wrangler.toml')
  return date
}
