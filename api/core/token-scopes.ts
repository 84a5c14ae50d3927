/** What a token allows. `admin` includes the others; every scope allows to read. */
export const TOKEN_SCOPES = ['read', 'write', 'claim', 'admin'] as const
export type TokenScope = (typeof TOKEN_SCOPES)[number]

const READERS: readonly TokenScope[] = ['read', 'write', 'claim', 'admin']
const WRITERS: readonly TokenScope[] = ['write', 'admin']
const CLAIMERS: readonly TokenScope[] = ['claim', 'admin']
const WRITERS_AND_CLAIMERS: readonly TokenScope[] = ['write', 'claim', 'admin']
const ADMINISTRATORS: readonly TokenScope[] = ['admin']

/** First words of paths that concern the server and everybody on it; of groups of users only the changes. */
const OF_THE_SERVER: ReadonlySet<string> = new Set(['admin', 'tokens', 'webhooks'])

/** Taking jobs and reporting how they ended: for runners alone. */
const CLAIMING: readonly RegExp[] = [
  /^\/claims(\/[^/]+)?$/,
  /^\/workflows\/[^/]+\/(claim_next_jobs|claim_jobs_based_on_resources\/[^/]+|batch_complete_jobs|tokens)$/,
  /^\/compute_nodes\/[^/]+\/(heartbeat|release)$/,
  /^\/jobs\/[^/]+\/(start_job|complete_job)(\/|$)/,
]

/**
 * What runners do and people do, too: the start of a workflow, nodes, what a node has seen, jobs handed back or tried again, data that a
 * job has made.
 */
const SHARED: readonly RegExp[] = [
  /^\/(compute_nodes|scheduled_compute_nodes|results|events|slurm_stats)(\/[^/]+)?$/,
  /^\/workflows\/[^/]+\/(initialize_jobs|actions\/[^/]+\/claim|ro_crate.*)$/,
  /^\/jobs\/[^/]+\/(manage_status_change|retry|attempts|recovery|fail|put_back)(\/|$)/,
  /^\/(files|user_data)\/[^/]+$/,
  /^\/pipe_runs\/[^/]+\/(runners|progress|observe|strikes|ingestion|post_step(\/claim)?)$/,
]

/** The scopes of which one is needed for an operation; `path` is below the base of the API. */
export function scopesFor(method: string, path: string): readonly TokenScope[] {
  const [, first = ''] = path.split('/', 2)
  if (OF_THE_SERVER.has(first)) return ADMINISTRATORS
  if (method === 'GET' || method === 'HEAD') return READERS
  if (first === 'access_groups') return ADMINISTRATORS
  if (CLAIMING.some(form => form.test(path))) return CLAIMERS
  return method !== 'DELETE' && SHARED.some(form => form.test(path)) ? WRITERS_AND_CLAIMERS : WRITERS
}
