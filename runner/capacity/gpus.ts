import type { System } from './system.ts'

/** Ids are what the variable or the driver calls them: indices, or names such as `GPU-5d6e…` and `MIG-…`. */
export type Gpus = { ids: string[]; source: string }

/** Whoever gave us a part of the machine says so in these, and they bind us even when they are empty. */
const VISIBLE = ['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES'] as const

/** Lists the GPUs this process may use: those its environment names, else all that the driver or /dev shows. */
export function detectGpus(system: System): Gpus {
  for (const name of VISIBLE) {
    const text = system.env[name]
    if (text !== undefined) return { ids: parseVisible(text), source: name }
  }
  const devices = system
    .list('/dev')
    .map(name => /^nvidia(\d+)$/.exec(name)?.[1])
    .filter(index => index !== undefined)
    .sort((a, b) => Number(a) - Number(b))
  if (devices.length === 0) return { ids: [], source: 'no device' }
  // Asked only when there is a device: the program takes a second to start where there is one.
  const listed = [...(system.listNvidiaGpus() ?? '').matchAll(/^GPU (\d+):/gm)].map(match => match[1]!)
  return listed.length > 0 ? { ids: listed, source: 'nvidia-smi' } : { ids: devices, source: '/dev' }
}

/** As the driver reads it: entries count up to the first that is none (`-1`, `NoDevFiles`), and once each. */
function parseVisible(text: string): string[] {
  const entries = text.split(',').map(entry => entry.trim())
  const end = entries.findIndex(entry => !/^(\d+|(GPU|MIG)-[\w/-]+)$/.test(entry))
  return [...new Set(end < 0 ? entries : entries.slice(0, end))]
}
