import { SETTINGS, variablesOf } from './settings.ts'

/** A value that a setting may have, for the line that shows how to write it. */
const EXAMPLES: Readonly<Record<string, string>> = {
  url: '"http://login1:8080"',
  'ca-cert': '"certificates/ca.pem"',
  'output-dir': '"headrace_output"',
  db: '"/local/headrace.db"',
  format: '"table"',
  durability: '"process"',
  'max-parallel-jobs': '4',
  'num-cpus': '8',
  'memory-gb': '16',
  'num-gpus': '0',
  'time-limit': '"1h30m"',
  'scheduler-config-id': '1',
  host: '"127.0.0.1"',
  port: '8080',
}

/** A file with every setting as a comment. */
export function renderTemplate(): string {
  const lines = Object.entries(SETTINGS).flatMap(([name, { about, fallback, kind }]) => [
    '',
    `# ${about} (default: ${fallback}; in the environment: ${variablesOf(name)[0]})`,
    `# ${name} = ${kind === 'switch' ? 'true' : EXAMPLES[name]}`,
  ])
  return ['# Settings of Headrace. `runner config show` says what holds, and why.', ...lines, ''].join('\n')
}
