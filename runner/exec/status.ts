/** What `runner node status` shows, as the resident part sends it. Moments are milliseconds since the epoch. */
export type NodeStatus = {
  pid: number
  socket: string
  total: Resources
  /** Jobs of the runner count as well. */
  free: Resources
  holding: LaunchStatus[]
  /** In the order of their turns. */
  waiting: LaunchStatus[]
  /** How many launches were asked for since the resident part started. */
  launches: number
  /** Not yet on disk, and lost because the disk stayed full. */
  records: { waiting: number; dropped: number }
}

type Resources = { cpus: number; memory_bytes: number; gpus: number }

export type LaunchStatus = {
  id: string
  /** Of the client. */
  pid: number
  command: string
  cpus: number
  gpus: number
  memory_bytes: number
  cores?: readonly number[]
  gpu_ids?: readonly string[]
  asked_at: number
  started_at?: number
  /** The grant around it, of which it uses a part. */
  within?: string
}
