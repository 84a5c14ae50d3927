import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFile } from '../../db/open-file.ts'
import { all, type Db, type Joint, run, type Unit } from '../../db/unit.ts'

let db: Db
let runs: string[]
beforeEach(async () => {
  db = openFile(':memory:')
  runs = []
  await db.write(() => run("CREATE TABLE t (word TEXT CHECK (word <> 'bad'))"))
})
afterEach(() => db.close())

type WordJoint = Joint<string> & { word: string }

/** Adds a word, alone or with others of its key, and gives it back in capitals. */
function add(key: string, word: string, size = 1): Promise<string> {
  const joint: WordJoint = {
    key,
    size,
    word,
    *runAll(joints) {
      const words = (joints as WordJoint[]).map(one => one.word)
      runs.push(words.join('+'))
      for (const one of words) yield* insert(one)
      return words.map(one => one.toUpperCase())
    },
  }
  return db.write(function* () {
    runs.push(word)
    yield* insert(word)
    return word.toUpperCase()
  }, joint)
}

const insert = (word: string): Unit<void> => run('INSERT INTO t VALUES (?)', word)
const words = async () => (await db.read(() => all<{ word: string }>('SELECT word FROM t'))).map(row => row.word)

test('units of one key that wait in a row run as one, and each gets its own value', async () => {
  const before = db.writeTransactions
  const values = await Promise.all([
    add('k', 'a'),
    add('k', 'b'),
    add('l', 'c'),
    db.write(() => insert('plain')),
    add('l', 'd'),
    add('l', 'e'),
  ])
  expect(values).toEqual(['A', 'B', 'C', undefined, 'D', 'E'])
  expect(runs).toEqual(['a+b', 'c', 'd+e'])
  expect(await words()).toEqual(['a', 'b', 'c', 'plain', 'd', 'e'])
  expect(db.writeTransactions).toBe(before + 1)
})

test('joined units are undone when one of them fails, and then run apart, each keeping its own outcome', async () => {
  const outcomes = await Promise.allSettled([
    add('k', 'a'),
    add('k', 'bad'),
    add('k', 'c'),
    add('l', 'd'),
    add('l', 'e'),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
  expect(runs).toEqual(['a+bad+c', 'a', 'bad', 'c', 'd+e'])
  expect(await words()).toEqual(['a', 'c', 'd', 'e'])
})

test('no more are joined than a transaction should do', async () => {
  await Promise.all([add('k', 'a', 400), add('k', 'b', 600), add('k', 'c', 1), add('k', 'd', 5_000), add('k', 'e', 1)])
  expect(runs).toEqual(['a+b', 'c', 'd', 'e'])
})

test('one that waits alone runs as it is', async () => {
  expect(await add('k', 'a')).toBe('A')
  expect(runs).toEqual(['a'])
})
