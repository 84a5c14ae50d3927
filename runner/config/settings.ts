import { amountFlag, countFlag, durationFlag, wordFlag } from '../command-line/flags.ts'
import { FORMATS } from '../command-line/options.ts'
import { DURABILITIES, OUTPUT_DIR, SERVER_HOST, SERVER_PORT } from '../defaults.ts'

/** An option that configuration files and the environment may set, for every command that has it. */
export type Setting = {
  about: string
  /** What holds when nobody says anything. */
  fallback: string
  kind: 'text' | 'path' | 'switch'
  /** Other names in the environment than `HEADRACE_` and the option's own. */
  env?: readonly string[]
  /** Throws a usage error that names `where` when the text cannot be understood. */
  check?: (where: string, text: string) => unknown
  /** An option that says the same in another way: the one from the stronger source counts. */
  rival?: string
}

const count = (least: number, most?: number) => (where: string, text: string) => countFlag(where, text, least, most)
const oneOf = (words: readonly string[]) => (where: string, text: string) => wordFlag(where, text, words)
const isSwitch = { kind: 'switch', fallback: 'off', check: oneOf(['true', 'false']) } as const

/** In the order in which `config show` and `config init` list them. */
export const SETTINGS: Readonly<Record<string, Setting>> = {
  url: {
    about: 'server to talk to',
    fallback: 'the database in the output directory',
    kind: 'text',
    env: ['HEADRACE_API_URL', 'TORC_API_URL'],
    rival: 'db',
  },
  'ca-cert': { about: 'PEM file with a certificate to trust for https', fallback: "Node's own", kind: 'path' },
  'output-dir': { about: 'directory with the database and the logs', fallback: OUTPUT_DIR, kind: 'path' },
  db: { about: 'database file', fallback: 'headrace.db in the output directory', kind: 'path', rival: 'url' },
  format: { about: 'what commands print: table or json', fallback: 'table', kind: 'text', check: oneOf(FORMATS) },
  durability: {
    about: 'process outlives every crash of a program, power also that of the machine',
    fallback: 'process',
    kind: 'text',
    check: oneOf(DURABILITIES),
  },
  'max-parallel-jobs': {
    about: 'run this many jobs at once, whatever they require',
    fallback: 'as many as fit',
    kind: 'text',
    check: count(1),
  },
  'num-cpus': { about: 'CPUs to offer', fallback: 'all this process may use', kind: 'text', check: count(1) },
  'memory-gb': {
    about: 'memory to offer in GiB',
    fallback: 'all this process may use',
    kind: 'text',
    check: amountFlag,
  },
  'num-gpus': { about: 'GPUs to offer', fallback: 'all that are visible', kind: 'text', check: count(0) },
  overcommit: { ...isSwitch, about: 'allow more CPUs and memory than there are' },
  'time-limit': {
    about: 'stop a run after this time, such as 1h30m',
    fallback: 'none',
    kind: 'text',
    check: durationFlag,
  },
  'scheduler-config-id': {
    about: 'take jobs bound to this scheduler too',
    fallback: 'none',
    kind: 'text',
    check: count(1),
  },
  'strict-scheduler-match': { ...isSwitch, about: 'never take jobs bound to another scheduler' },
  host: { about: 'address a server listens on', fallback: SERVER_HOST, kind: 'text' },
  port: { about: 'port a server listens on', fallback: String(SERVER_PORT), kind: 'text', check: count(0, 65_535) },
}

/** The variables of a setting, the one that counts first. */
export const variablesOf = (name: string): readonly string[] =>
  SETTINGS[name]?.env ?? [`HEADRACE_${name.toUpperCase().replaceAll('-', '_')}`]
