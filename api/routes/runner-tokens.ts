import { Hono } from 'hono'
import { readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewRunnerToken } from '../contract/token.ts'
import type { TokenScope } from '../core/token-scopes.ts'
import { pathInteger } from '../query.ts'
import { makeToken } from '../tokens/make.ts'
import { needWorkflow } from './guards.ts'

/** The longest wall time that anybody has, and some slack. */
const LONGEST_SECONDS = 32 * 86_400
const USUAL_SECONDS = 86_400

/** A job may add jobs to its workflow and store what it has made: code of its runner's user runs there anyway (design.md, Trust). */
const SCOPES: Record<'runner' | 'job', readonly TokenScope[]> = { runner: ['claim'], job: ['read', 'write'] }

/**
 * Tokens for allocations and jobs: of one workflow, for a while, and never for longer than the token they are made with. Whoever may
 * claim the workflow's jobs may have one; with their maker's token they end.
 */
export function runnerTokenRoutes({ db, tokenDb, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/tokens', async c => {
    const id = pathInteger(c, 'id')
    const { kind, name, expires_in_seconds } = (await readOptionalBody(c, NewRunnerToken)) ?? {}
    await db.read(() => needWorkflow(id))
    const { user, subject, grant } = c.var
    const now = clock()
    const seconds = Math.min(expires_in_seconds ?? USUAL_SECONDS, LONGEST_SECONDS)
    const made = await makeToken(
      { db: tokenDb, clock },
      {
        name: name ?? `${kind ?? 'runner'} of workflow ${id}`,
        scopes: SCOPES[kind ?? 'runner'].join(),
        // Whoever is free of rules gives a token that is, inside its fence: the operator, and servers without rules.
        user_name: grant === undefined ? (subject?.name ?? null) : grant.user,
        workflow_id: id,
        project: grant?.fence?.project ?? null,
        parent_id: grant?.tokenId ?? null,
        created_at: now,
        created_by: user,
        expires_at: Math.min(now + seconds * 1_000, grant?.expiresAt ?? Number.POSITIVE_INFINITY),
      },
    )
    return c.json(made)
  })
  return routes
}
