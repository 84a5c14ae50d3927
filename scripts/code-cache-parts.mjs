// node code-cache-parts.mjs DIST WORDS...: runs a command that asks a server, with a server that answers anything, and writes what V8 has
// compiled of each part by then beside it. Parts that have their compiled code by now keep it.
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [dist, ...words] = process.argv.slice(2)
const nodeRequire = createRequire(import.meta.url)
const vm = nodeRequire('node:vm')

/** @type {Map<string, import('node:vm').Script>} */
const scripts = new Map()
vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options)
    scripts.set(options.filename, this)
  }
}

process.on('exit', () => {
  for (const [path, script] of scripts) {
    const code = `${path}.v8-${process.versions.v8}-${process.arch}`
    if (existsSync(code)) continue
    writeFileSync(`${code}.new`, script.createCachedData())
    renameSync(`${code}.new`, code)
  }
})

const server = createServer((_, response) => response.end('{"items": [], "has_more": false, "count": 0}'))
server.unref().listen(0, '127.0.0.1', () => {
  process.env.HEADRACE_API_URL = `http://127.0.0.1:${server.address().port}`
  const program = join(dist, 'runner.cjs')
  process.argv = [process.execPath, program, ...words]
  nodeRequire(program)
})
