import { statfsSync } from 'node:fs'

/** File systems without memory shared between machines, by the magic number that statfs gives (Linux, statfs(2)). */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x19830326, 'BeeGFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x18031977, 'WekaFS'],
  [0x20030528, 'OrangeFS'],
  [0x47504653, 'GPFS'],
  [0x65735546, 'FUSE'],
  [0xaad7aaea, 'PanFS'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
])

/** Names the network file system a folder lies on; undefined on a local disk, and where that cannot be learnt. */
export function networkFileSystem(folder: string): string | undefined {
  try {
    // statfs gives a signed number on some systems.
    return NETWORK.get(statfsSync(folder).type >>> 0)
  } catch {
    return undefined
  }
}
