import type { System } from '../capacity/system.ts'

/** One sample of the whole machine. CPU in per cent of all its cores together. */
export type NodeSample = { cpuPercent: number; memoryBytes: number; totalMemoryBytes: number }

type CpuTime = { busy: number; all: number }

/** Measures this machine from look to look, whoever uses it. Where there is no /proc everything is 0. */
export class NodeMeter {
  readonly #system: System
  #before: CpuTime

  constructor(system: System) {
    this.#system = system
    this.#before = this.#readCpu()
  }

  look(): NodeSample {
    const before = this.#before
    const now = this.#readCpu()
    this.#before = now
    const share = now.all > before.all ? (now.busy - before.busy) / (now.all - before.all) : 0
    const memory = this.#system.read('/proc/meminfo') ?? ''
    const totalMemoryBytes = bytesOf(memory, 'MemTotal')
    return {
      cpuPercent: Math.round(share * 1000) / 10,
      memoryBytes: totalMemoryBytes - bytesOf(memory, 'MemAvailable'),
      totalMemoryBytes,
    }
  }

  /** Fields of the first line (proc_stat(5)): user, nice, system, idle, iowait, irq, softirq, steal; guests are within user. */
  #readCpu(): CpuTime {
    const line = /^cpu +([\d ]+)/.exec(this.#system.read('/proc/stat') ?? '')?.[1] ?? ''
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
      .split(' ')
      .map(Number)
    const busy = user + nice + system + irq + softirq + steal
    return { busy, all: busy + idle + iowait }
  }
}

const bytesOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
