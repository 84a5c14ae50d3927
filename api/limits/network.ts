const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * The part of an address by which callers are counted: all of an IPv4 one, the first 64 bits of an IPv6 one, since whoever has one of
 * those has them all.
 */
export function networkOf(address: string): string {
  const plain = MAPPED.exec(address)?.[1] ?? address
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::', 2) as [string, string?]
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length)
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...after]
  return `${all
    .slice(0, 4)
    .map(group => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
