import { expect, it } from 'vitest'
import { BadPasswordFile, parseHtpasswd, standInHash } from '../../api/node/htpasswd.ts'

const hash = (cost: string, kind = '2b') => `$${kind}$${cost}$${'a'.repeat(53)}`

it('parseHtpasswd() reads users, leaves out comments and blank lines, and takes the last line of a user', () => {
  const users = parseHtpasswd(
    ['# header', '', `ada:${hash('12')}`, `  ben:${hash('04', '2y')}  `, `ada:${hash('10', '2a')}`, ''].join('\r\n'),
  )
  expect([...users]).toEqual([
    ['ada', hash('10', '2a')],
    ['ben', hash('04', '2y')],
  ])
})

it.each([
  ['a line without a colon', 'ada'],
  ['a line without a user', `:${hash('12')}`],
  ['a password as it is', 'ada:secret'],
  ['MD5', 'ada:$apr1$abcdefgh$0123456789012345678901'],
  ['SHA-1', 'ada:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs='],
  ['a cost of 3', `ada:${hash('03')}`],
  ['a cost of 32', `ada:${hash('32')}`],
  ['a hash that is too short', `ada:${hash('12').slice(0, -1)}`],
  ['more after the hash', `ada:${hash('12')}:more`],
])('parseHtpasswd() refuses %s, naming the line and nothing of it', (_, line) => {
  const text = `# header\n${line}\n`
  expect(() => parseHtpasswd(text)).toThrow(BadPasswordFile)
  expect(() => parseHtpasswd(text)).toThrow('line 2')
  expect(() => parseHtpasswd(text)).not.toThrow('secret')
})

it('parseHtpasswd() refuses a file without users', () => {
  for (const text of ['', '\n\n', '# nobody yet\n']) expect(() => parseHtpasswd(text)).toThrow('no user')
})

it('standInHash() costs what entries of the file cost, always the same for one name', () => {
  const users = parseHtpasswd(`ada:${hash('04')}\nben:${hash('06')}\n`)
  const names = Array.from({ length: 50 }, (_, k) => `user-${k}`)
  const costs = names.map(name => standInHash(users, name).slice(4, 6))
  expect(new Set(costs)).toEqual(new Set(['04', '06']))
  expect(names.map(name => standInHash(users, name).slice(4, 6))).toEqual(costs)
  for (const name of names) expect(standInHash(users, name)).toMatch(/^\$2b\$0[46]\$[./A-Za-z0-9]{53}$/)
})
