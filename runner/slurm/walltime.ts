import { dayTime } from '../schedulers/amounts.ts'

/** A duration as Slurm prints and takes it; UNLIMITED without end. */
export const formatWalltime = (seconds: number): string =>
  Number.isFinite(seconds) ? dayTime(Math.ceil(seconds)) : 'UNLIMITED'
