import { parseGresGpus, parseWalltime } from '../../api/core/spec/slurm-text.ts'
import type { Partition } from './types.ts'

/** Fields without user text, so that a bar cannot stand in one: partition, availability, time limit, nodes, CPUs, MiB, gres. */
export const SINFO_FORMAT = '%R|%a|%l|%D|%c|%m|%G'

const MIB = 2 ** 20

/** What `scontrol show partition -o` adds to a partition. */
export type PartitionRules = { maxNodes?: number; isShared: boolean; isDefault: boolean }

/**
 * Reads `sinfo -e -h -o SINFO_FORMAT`: one row for each kind of node in a partition, those that are down left out. Undefined when a line
 * is not of this form: half a listing is none.
 */
export function parseSinfo(text: string, rules: ReadonlyMap<string, PartitionRules>): Partition[] | undefined {
  const partitions: Partition[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const [name, available, limit, nodes, cpus, memory, gres, ...more] = line.trim().split('|')
    const maxWalltimeSeconds = parseWalltime(limit === 'infinite' ? 'INFINITE' : (limit ?? ''))
    const counts = [nodes, cpus, memory].map(atLeast)
    if (gres === undefined || more.length > 0 || maxWalltimeSeconds === undefined || counts.includes(undefined)) {
      return undefined
    }
    if (available !== 'up') continue
    const [totalNodes, cpusPerNode, mebibytes] = counts as [number, number, number]
    const own = rules.get(name!)
    partitions.push({
      name: name!,
      cpusPerNode,
      memoryBytesPerNode: mebibytes * MIB,
      gpusPerNode: gres === '(null)' ? 0 : (parseGresGpus(gres) ?? 0),
      gpuType: gpuTypeOf(gres),
      maxWalltimeSeconds,
      maxNodes: own?.maxNodes,
      totalNodes,
      isShared: own?.isShared ?? false,
      isByNameOnly: false,
      isDefault: own?.isDefault ?? false,
    })
  }
  return partitions
}

/** `8+` stands for nodes with different counts, the smallest of which is 8: without `-e` kinds of nodes share a row. */
function atLeast(text: string | undefined): number | undefined {
  const digits = /^(\d+)\+?$/.exec(text ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The type of the first kind of GPU: `gpu:h100:4(S:0-1)`. */
function gpuTypeOf(gres: string): string | undefined {
  for (const entry of gres.split(',')) {
    const [kind, type, count] = entry.replace(/\(.*$/, '').trim().split(':')
    if (kind === 'gpu' && count !== undefined) return type
  }
  return undefined
}

/** Reads `scontrol show partition -o`: one line of `Key=Value` for each partition. Lines of another form are passed over. */
export function parsePartitionRules(text: string): Map<string, PartitionRules> {
  const rules = new Map<string, PartitionRules>()
  for (const line of text.split('\n')) {
    const fields = new Map([...line.matchAll(/(\w+)=(\S*)/g)].map(([, key, value]) => [key!, value!]))
    const name = fields.get('PartitionName')
    if (name === undefined) continue
    const maxNodes = fields.get('MaxNodes')
    rules.set(name, {
      maxNodes: maxNodes !== undefined && /^\d+$/.test(maxNodes) ? Number(maxNodes) : undefined,
      // NO: one job may have a node's cores while another has the rest; EXCLUSIVE: an allocation always takes whole nodes.
      isShared: fields.get('OverSubscribe') !== 'EXCLUSIVE',
      isDefault: fields.get('Default') === 'YES',
    })
  }
  return rules
}

/** The cluster's name in `scontrol show config`. */
export const parseClusterName = (text: string): string | undefined => /^ClusterName\s*=\s*(\S+)/m.exec(text)?.[1]

/** Whether `scontrol show config` says that an allocation always takes whole nodes, whatever the partitions say. */
export const givesWholeNodes = (text: string): boolean => /^SelectType\s*=\s*select\/linear$/m.test(text)
