/** What identifies a job's allocation to programs that start their own parts in it, such as mpirun and srun. */
const IDENTITY =
  /^SLURM_(CONF|JOB_ID|JOBID|JOB_NODELIST|NODELIST|NNODES|JOB_NUM_NODES|CPUS_ON_NODE|JOB_CPUS_PER_NODE|CLUSTER_NAME|SUBMIT_DIR|SUBMIT_HOST|JOB_PARTITION|JOB_ACCOUNT|JOB_QOS|JOB_USER|JOB_UID)$/

/**
 * h_vmem limits the address space, and by default Node reserves 10 GB of it for each WebAssembly memory, of which every HTTP client has
 * one. Grid Engine's scripts say this to the runner; older Nodes, which a job may be, refuse to start with it.
 */
export const SMALL_WASM = '--disable-wasm-trap-handler'

/**
 * What belongs to the runner alone: amounts that sbatch inside a job would take for that job's wishes, the place in an array (an index
 * names a runner, never a job), the rank in a step, which an MPI program would take for its own, and what our scripts say.
 */
const LEFTOVER =
  /^(SLURM_|SBATCH_|SRUN_|SALLOC_|SQUEUE_|SCANCEL_|PMI_|PMI2_|PMIX_|PBS_ARRAY|SGE_TASK_|HEADRACE_(ALLOCATION_|LOCAL_|SCHEDULER$|NODE_RANK$))/

/** What a job must not have of the runner's own place in its allocation: null takes a variable away. */
export function leftoversOf(env: NodeJS.ProcessEnv): Record<string, string | null> {
  const names = Object.keys(env).filter(name => LEFTOVER.test(name) && !IDENTITY.test(name))
  const leftovers: Record<string, string | null> = Object.fromEntries(names.map(name => [name, null]))
  const { NODE_OPTIONS: options } = env
  if (options?.startsWith(SMALL_WASM)) leftovers.NODE_OPTIONS = options.slice(SMALL_WASM.length).trim() || null
  return leftovers
}
