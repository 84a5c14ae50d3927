/**
 * Variables that change what client programs do or print, and those of an allocation that this process is in: sbatch hands its own
 * environment to the new job, which would take the outer job's figures for its own, and our credentials with them.
 */
const DROPPED =
  /^(SLURM_|SBATCH_|SQUEUE_|SALLOC_|SCANCEL_|SINFO_|SRUN_|PBS_|QSTAT_|BASH_FUNC_|HEADRACE_(ALLOCATION|LOCAL|WORKER|NODE|SCHEDULER|TOKEN)|TORC_PASSWORD)/
/** These say which cluster is meant. */
const KEPT = new Set(['SLURM_CONF', 'PBS_SERVER', 'PBS_CONF_FILE'])

/** The environment for client programs (hpc.md 1.5): without leftovers of an outer job, in the C locale. */
export function cleanEnvironment(source: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(source).filter(([name]) => !DROPPED.test(name) || KEPT.has(name))
  return { ...Object.fromEntries(entries), LC_ALL: 'C' }
}
