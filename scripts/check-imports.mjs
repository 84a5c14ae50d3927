// Holds the arrows of the architecture: which room may import which. Reads the import lines of every source file; a dynamic import
// counts as one too, where it is allowed at all it is named here.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folder or file → what it may import, as path prefixes and package names. The first rule that fits a file counts. */
const RULES = [
  ['api/core/', ['api/core/', 'valibot']],
  ['api/contract/', ['api/contract/', 'api/core/', 'valibot']],
  ['api/spec/', ['api/spec/', 'api/core/', 'yaml', 'json5', '@bgotink/kdl', 'rregex']],
  ['db/', ['db/', 'api/core/', 'libsql', 'drizzle-orm', 'node:']],
  ['api/openapi/', ['api/', 'valibot', '@valibot/to-json-schema']],
  ['api/routes/', ['api/', 'db/', 'hono', 'valibot', 'drizzle-orm']],
  ['api/node', ['api/', 'db/', 'hono', '@hono/node-server', 'libsql', 'package.json', 'node:']],
  // Deno has what Node has for names and sockets.
  ['api/deno.ts', ['api/entries/', 'api/node/webhooks/', 'package.json']],
  ['api/worker.ts', ['api/entries/', 'package.json']],
  ['api/', ['api/', 'db/', 'hono', 'valibot']],
  // The one place where the runner loads the control plane.
  ['runner/local-server.ts', ['runner/', 'api/node.ts', 'node:']],
  // And the one where it loads the tools that look after a database.
  ['runner/maintenance.ts', ['runner/', 'api/node/maintenance/', 'node:']],
  // Samples go into a file of the form that others read; loaded when there are any.
  ['runner/monitor/metrics-file.ts', ['runner/', 'libsql', 'node:']],
  [
    'runner/',
    ['runner/', 'api/contract/', 'api/core/', 'api/spec/', 'citty', 'undici', 'valibot', 'package.json', 'node:'],
  ],
]
/** Nobody but its own room imports these. */
const NEVER_FROM = [
  ['api/routes/', 'api/app.ts', 'api/node'],
  ['runner/commands/', 'runner/'],
]

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.tsx?$/.test(entry.name)) yield path
  }
}

const problems = []
for (const file of ['api', 'db', 'runner'].flatMap(folder => [...sources(folder)])) {
  const rule = RULES.find(([prefix]) => file.startsWith(prefix))
  if (rule === undefined) continue
  for (const match of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
    const name = match[1] ?? match[2]
    const target = name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name
    if (
      !rule[1].some(
        allowed =>
          target === allowed ||
          target.startsWith(allowed.endsWith('/') || allowed.endsWith(':') ? allowed : `${allowed}/`) ||
          (allowed === 'api/node' && target.startsWith(allowed)),
      )
    ) {
      problems.push(`${file} imports ${target}: ${rule[0]} may import ${rule[1].join(', ')} only`)
    }
    for (const [room, ...owners] of NEVER_FROM) {
      if (target.startsWith(room) && !file.startsWith(room) && !owners.some(owner => file.startsWith(owner))) {
        problems.push(`${file} imports ${target}: ${room} belongs to ${owners.join(', ')} alone`)
      }
    }
  }
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
