import type { Seen } from './process-table.ts'

/** One sample. CPU in per cent of one core. */
export type Sample = { cpuPercent: number; memoryBytes: number; processes: number }

/** What the samples of one launch come to. */
export type Measured = {
  peakCpuPercent?: number
  avgCpuPercent?: number
  peakMemoryBytes?: number
  avgMemoryBytes?: number
}

/** Adds up the samples of whatever is measured. */
export class Summary {
  #count = 0
  #cpuSum = 0
  #memorySum = 0
  #peakCpu = 0
  #peakMemory = 0

  add({ cpuPercent, memoryBytes }: Pick<Sample, 'cpuPercent' | 'memoryBytes'>): void {
    this.#count++
    this.#cpuSum += cpuPercent
    this.#memorySum += memoryBytes
    this.#peakCpu = Math.max(this.#peakCpu, cpuPercent)
    this.#peakMemory = Math.max(this.#peakMemory, memoryBytes)
  }

  get count(): number {
    return this.#count
  }

  /** Empty without a sample. */
  measured(): Measured {
    if (this.#count === 0) return {}
    return {
      peakCpuPercent: tenths(this.#peakCpu),
      avgCpuPercent: tenths(this.#cpuSum / this.#count),
      peakMemoryBytes: this.#peakMemory,
      avgMemoryBytes: Math.round(this.#memorySum / this.#count),
    }
  }
}

export const tenths = (value: number): number => Math.round(value * 10) / 10

/** Measures one launch from sample to sample. */
export class JobMeter {
  readonly summary = new Summary()
  #cpuMs = new Map<number, number>()
  #lookedAtMs: number

  constructor(startedAtMs: number) {
    this.#lookedAtMs = startedAtMs
  }

  /** What a process did that came and went between two looks is seen by nobody; the exact sum is known at the launch's end. */
  look(processes: readonly Seen[], atMs: number): Sample {
    let memoryBytes = 0
    let busyMs = 0
    const cpuMs = new Map<number, number>()
    for (const seen of processes) {
      memoryBytes += seen.residentBytes
      // A pid that was given anew has used less than its predecessor.
      busyMs += Math.max(0, seen.cpuMs - (this.#cpuMs.get(seen.pid) ?? 0))
      cpuMs.set(seen.pid, seen.cpuMs)
    }
    const elapsedMs = atMs - this.#lookedAtMs
    this.#cpuMs = cpuMs
    this.#lookedAtMs = atMs
    // A clock that was set back tells nothing.
    const cpuPercent = elapsedMs > 0 ? tenths((100 * busyMs) / elapsedMs) : 0
    const sample = { cpuPercent, memoryBytes, processes: processes.length }
    this.summary.add(sample)
    return sample
  }
}
