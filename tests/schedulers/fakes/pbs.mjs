import { readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { basename, resolve } from 'node:path'
import { clearFault, end, fault, finish, main, now, pathOf, requeue, tick, withState } from './engine.mjs'

/**
 * qsub, qstat, qdel, qalter, qhold and qrls as OpenPBS has them, or Torque with FAKE_PBS=torque: options, messages and exit codes of
 * hpc.md 2 and 7. Whatever option it does not know is refused.
 */
const torque = process.env.FAKE_PBS === 'torque'
const SERVER = 'fake'
const QUEUES = { workq: 86_400, short: 3600 }
const ARRAY_MOST = 10_000
const SHOWN_MS = 300_000

const idOf = ({ number, array }, index) =>
  array ? `${number}[${index === undefined ? '' : index}].${SERVER}` : `${number}.${SERVER}`

/** The server is away in the way that the fault says, with each program's own exit code. */
function refuseWhenAway(program) {
  const { name } = fault()
  const [words, errno] = { refused: ['Connection refused', 15010], errno111: ['Connection refused', 111] }[name] ?? []
  if (words === undefined) return
  const code = program === 'qstat' ? 255 : errno === 111 ? 111 : 162
  finish(code, { err: `${words}\n${program}: cannot connect to server ${SERVER} (errno=${errno})\n` })
}

const usage = (program, text) => finish(2, { err: `${program}: ${text}\nusage: ${program} ...\n` })

/** Options with (`a:`) and without values, and what is left. */
function parse(program, known, words) {
  const options = []
  const rest = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!/^-\w/.test(word)) {
      rest.push(word)
      continue
    }
    const letter = word[1]
    if (known.includes(`${letter}:`)) options.push([letter, word.length > 2 ? word.slice(2) : (words[++at] ?? '')])
    else if (known.includes(letter) && word.length === 2) options.push([letter, true])
    else usage(program, `invalid option -- '${letter}'`)
  }
  return { options, rest }
}

const QSUB = `N: S: q: A: P: l: j: o: e: r: v: W: h ${torque ? 't:' : 'J:'}`.split(' ')
const RESOURCES = torque ? /^(nodes|mem|pmem|walltime|advres|qos)=/ : /^(select|place|walltime)=/
const CHUNK = torque ? /^\d+(:(ppn|gpus)=\d+)+$/ : /^\d+(:(ncpus|ngpus)=\d+|:mem=\d+[kmg]b)+$/

function directives(text) {
  const lines = []
  for (const line of text.split('\n').slice(1)) {
    if (line.startsWith('#PBS ')) lines.push(line.slice(5).trim())
    else if (!line.startsWith('#') && line.trim() !== '') break
  }
  // Quotes keep blanks together.
  return lines.flatMap(line => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain))
}

const seconds = text => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)

function qsub(words) {
  refuseWhenAway('qsub')
  const { options: given, rest } = parse('qsub', QSUB, words)
  if (rest.length !== 1) usage('qsub', 'one script')
  const script = resolve(rest[0])
  const { options: written } = parse('qsub', QSUB, directives(readFileSync(script, 'utf8')))
  const all = [...written, ...given]
  const last = letter => all.filter(([name]) => name === letter).at(-1)?.[1]
  const queue = last('q') ?? 'workq'
  if (QUEUES[queue] === undefined) finish(170, { err: 'qsub: Unknown queue\n' })
  const resources = all.filter(([name]) => name === 'l').flatMap(([, value]) => value.split(','))
  for (const resource of resources) {
    if (!RESOURCES.test(resource)) finish(172, { err: `qsub: Unknown resource: ${resource}\n` })
    const [, kind, value] = /^(\w+)=(.*)$/.exec(resource)
    if ((kind === 'select' || kind === 'nodes') && !CHUNK.test(value)) finish(173, { err: 'qsub: Illegal attribute\n' })
  }
  const walltime = seconds(resources.find(text => text.startsWith('walltime='))?.slice(9) ?? '3600')
  if (walltime > QUEUES[queue]) finish(188, { err: 'qsub: Job violates queue and/or server resource limits\n' })
  const range = last(torque ? 't' : 'J')
  const [, first, until = first, throttle] = /^(\d+)(?:-(\d+))?(?:%(\d+))?$/.exec(range ?? '') ?? []
  if (range !== undefined && (first === undefined || (!torque && Number(until) <= Number(first))))
    usage('qsub', `illegal ${torque ? '-t' : '-J'} value`)
  const array = range !== undefined
  const size = array ? Number(until) - Number(first) + 1 : 1
  if (size > ARRAY_MOST) finish(3, { err: 'qsub: Array job exceeds server or queue size limit\n' })
  const chunk = resources.find(text => /^(select|nodes)=/.test(text)) ?? ''
  const id = withState(state => {
    const job = {
      number: state.next++,
      array,
      name: last('N') ?? basename(script),
      queue,
      // The server keeps its own copy.
      text: readFileSync(script, 'utf8'),
      output: last('o'),
      cwd: process.cwd(),
      walltime,
      cores: Number(/:(?:ncpus|ppn)=(\d+)/.exec(chunk)?.[1] ?? 1),
      chunk,
      throttle: throttle === undefined ? undefined : Number(throttle),
      held: last('h') === true,
      submittedAt: now(),
      elements: Array.from({ length: size }, (_, step) => ({
        index: array ? Number(first) + step : undefined,
        state: 'Q',
      })),
    }
    state.jobs.push(job)
    advance(state)
    return idOf(job)
  })
  if (fault().name === 'timeout_but_submitted') finish(162, { err: 'qsub: Connection timed out\n' })
  finish(0, { out: `${id}\n` })
}

function advance(state) {
  const { name } = fault()
  if (name === 'server_restart' || name === 'node_lost') {
    for (const { elements } of state.jobs) for (const one of elements) if (one.state === 'R') requeue(one)
    clearFault()
  }
  tick(state, launch)
}

function launch(job, { index }) {
  const id = idOf(job, index)
  const safe = job.array ? `${job.number}.${index}` : `${job.number}`
  const own = torque
    ? { PBS_ARRAYID: index, PBS_NUM_PPN: job.cores }
    : { PBS_ARRAY_INDEX: index, PBS_ARRAY_ID: job.array ? idOf(job) : undefined, NCPUS: job.cores }
  const env = {
    HOME: process.env.HOME,
    PATH: process.env.PATH,
    FAKE_SCHEDULER_STATE: process.env.FAKE_SCHEDULER_STATE,
    FAKE_PBS: process.env.FAKE_PBS,
    PBS_JOBID: id,
    PBS_JOBNAME: job.name,
    PBS_QUEUE: job.queue,
    PBS_O_WORKDIR: job.cwd,
    PBS_ENVIRONMENT: 'PBS_BATCH',
    PBS_NODEFILE: '/dev/null',
    OMP_NUM_THREADS: String(job.cores),
    TMPDIR: pathOf(''),
    ...Object.fromEntries(
      Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  }
  const output = `${job.output ?? `${job.cwd}/`}${job.name}.o${safe}`
  // The script comes on standard input, as it does there.
  return { argv: ['/bin/bash', '-c', '/bin/bash <<<"$1"', 'pbs', job.text], env, output, cwd: job.cwd }
}

/** What an id on the command line names: a job, and which of its elements. */
function find(state, word) {
  const [, number, brackets, range] = /^(\d+)(\[([\d-]*)\])?(?:\.\S+)?$/.exec(word) ?? []
  const job = state.jobs.find(one => String(one.number) === number && one.array === (brackets !== undefined))
  if (job === undefined) return undefined
  const [first, last = first] = (range || '').split('-').map(Number)
  const elements = range ? job.elements.filter(({ index }) => index >= first && index <= last) : job.elements
  return { job, elements, whole: !range }
}

const isOver = job => job.elements.every(({ state }) => state === 'X')
const letterOf = (job, element) => {
  if (element.state === 'X') return torque ? 'C' : job.array ? 'X' : 'F'
  if (element.state === 'R') return element.termAt === undefined ? 'R' : 'E'
  return job.held ? 'H' : 'Q'
}
const jobLetter = job => {
  if (!job.array) return letterOf(job, job.elements[0])
  if (isOver(job)) return torque ? 'C' : 'F'
  return job.elements.some(({ starts }) => starts > 0) ? 'B' : job.held ? 'H' : 'Q'
}
const clock = total =>
  [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
    .map(part => String(part).padStart(2, '0'))
    .join(':')
const date = ms => {
  const [day, month, number, year, time] = String(new Date(ms)).split(' ')
  return `${day} ${month} ${number} ${time} ${year}`
}

/** Values go on after a line end and a tab when they are long. */
const fold = line => {
  const parts = [line.slice(0, 79)]
  for (let at = 79; at < line.length; at += 71) parts.push(line.slice(at, at + 71))
  return parts.join('\n\t')
}

function block(job, element) {
  const index = element?.index
  const single = element ?? (job.array ? undefined : job.elements[0])
  const count = state => job.elements.filter(one => one.state === state).length
  const values = {
    Job_Name: torque && index !== undefined ? `${job.name}-${index}` : job.name,
    Job_Owner: `${userInfo().username}@${hostname()}`,
    job_state: single === undefined ? jobLetter(job) : letterOf(job, single),
    queue: job.queue,
    ctime: date(job.submittedAt),
    'Resource_List.walltime': clock(job.walltime),
    Variable_List: `PBS_O_HOME=/root,PBS_O_LANG=C,PBS_O_WORKDIR=${job.cwd},PBS_O_PATH=/usr/local/bin:/usr/bin:/bin`,
  }
  if (single?.startedAt !== undefined) {
    values.stime = date(single.startedAt)
    values['resources_used.walltime'] = clock(Math.floor(((single.endedAt ?? now()) - single.startedAt) / 1000))
    values.exec_host = `n1/0*${job.cores}`
    values.run_count = String(single.starts)
    if (single.exit !== undefined) values.Exit_status = String(single.exit)
  }
  if (element === undefined && job.array) {
    values.array = 'True'
    values.array_state_count = `Queued:${count('Q')} Running:${count('R')} Exiting:0 Expired:${count('X')}`
  }
  if (index !== undefined) {
    values.array_id = idOf(job)
    values.array_index = String(index)
  }
  const lines = Object.entries(values).map(([name, value]) => fold(`    ${name} = ${value}`))
  return `Job Id: ${idOf(job, index)}\n${lines.join('\n')}\n\n`
}

function qstat(words) {
  if (words.includes('-Q') || words.includes('-B')) return qstatServer(words)
  refuseWhenAway('qstat')
  const { options, rest } = parse('qstat', ['f', 'x', 't', 'F:'], words)
  const has = letter => options.some(([name]) => name === letter)
  const noHistory = fault().name === 'no_history'
  if (torque && has('x')) finish(0, { out: '<Data></Data>' })
  if (has('x') && noHistory) finish(0, { err: 'PBS is not configured to maintain job history\n' })
  let [out, err, code] = ['', '', 0]
  const showFinished = has('x') || torque
  withState(state => {
    advance(state)
    const wanted = rest.length > 0 ? rest : state.jobs.filter(job => showFinished || !isOver(job)).map(job => idOf(job))
    const shown = []
    for (const word of wanted) {
      const found = find(state, word)
      const old = found !== undefined && torque && isOver(found.job) && now() - lastEnd(found.job) > SHOWN_MS
      if (found === undefined || old || (isOver(found.job) && noHistory)) {
        err += `qstat: Unknown Job Id ${torque ? 'Error ' : ''}${word}\n`
        code = 153
      } else if (isOver(found.job) && !showFinished) {
        err += `qstat: ${word} Job has finished, use -x or -H to obtain historical job information\n`
        code = 35
      } else shown.push(found)
    }
    out = has('F') ? json(shown) : has('f') ? full(shown, has('t')) : table(shown, has('t'))
  })
  const { name } = fault()
  if (name === 'empty') finish(0)
  if (name === 'truncated') finish(0, { out: out.slice(0, Math.floor(out.length / 2)) })
  finish(code, { out, err })
}

const lastEnd = job => Math.max(...job.elements.map(({ endedAt = 0 }) => endedAt))

function full(shown, withElements) {
  return shown
    .map(({ job, elements, whole }) => {
      const rows = job.array && (withElements || !whole) ? elements.map(element => block(job, element)) : []
      return (whole && !(torque && withElements && job.array) ? block(job) : '') + rows.join('')
    })
    .join('')
}

function json(shown) {
  const jobs = Object.fromEntries(
    shown.map(({ job }) => [idOf(job), { Job_Name: job.name, job_state: jobLetter(job) }]),
  )
  const document = { timestamp: Math.floor(now() / 1000), pbs_version: '23.06', pbs_server: SERVER }
  const text = JSON.stringify(shown.length === 0 ? document : { ...document, Jobs: jobs }, undefined, 4)
  return `${fault().name === 'bad_json' ? text.replace('{', '{"foo":005,') : text}\n`
}

function table(shown, withElements) {
  if (shown.length === 0) return ''
  const head = [
    'Job id            Name             User              Time Use S Queue',
    '----------------  ---------------- ----------------  -------- - -----',
  ]
  const rows = shown.flatMap(({ job, elements }) => {
    const row = (id, letter) => {
      const shortId = id.length > 17 ? `${id.slice(0, 16)}*` : id
      return `${shortId.padEnd(17)} ${job.name.slice(0, 16).padEnd(16)} ${userInfo().username.padEnd(17)} ${'0'.padStart(8)} ${letter} ${job.queue}`
    }
    const whole = row(idOf(job), jobLetter(job))
    return job.array && withElements
      ? [whole, ...elements.map(one => row(idOf(job, one.index), letterOf(job, one)))]
      : [whole]
  })
  return `${[...head, ...rows].join('\n')}\n`
}

function qstatServer(words) {
  refuseWhenAway('qstat')
  const queues = Object.entries(QUEUES).map(
    ([name, most]) => `Queue: ${name}\n    queue_type = Execution\n    resources_max.walltime = ${clock(most)}\n\n`,
  )
  const server = `Server: ${SERVER}\n    server_state = Active\n    default_queue = workq\n    max_array_size = ${ARRAY_MOST}\n\n`
  finish(0, { out: words.includes('-Q') ? queues.join('') : server })
}

/** One message for each id; the exit code is the last one's. */
function forEach(program, words, act) {
  let [err, code] = ['', 0]
  withState(state => {
    advance(state)
    for (const word of words) {
      const found = find(state, word)
      if (found === undefined) [err, code] = [`${err}${program}: Unknown Job Id ${word}\n`, 153]
      else if (isOver(found.job)) [err, code] = [`${err}${program}: Job has finished ${word}\n`, 35]
      else act(found)
    }
    advance(state)
  })
  finish(code, { err })
}

function qdel(words) {
  refuseWhenAway('qdel')
  const { options, rest } = parse('qdel', torque ? ['W:', 't:'] : ['W:'], words)
  const list = options.find(([name]) => name === 't')?.[1]
  const inList = ({ index }) =>
    list === undefined ||
    list.split(',').some(part => {
      const [first, last = first] = part.split('-').map(Number)
      return index >= first && index <= last
    })
  forEach('qdel', rest, ({ elements }) => elements.filter(inList).forEach(end))
}

function qalter(words) {
  refuseWhenAway('qalter')
  const { options, rest } = parse('qalter', torque ? ['t:', 'l:'] : ['W:', 'l:'], words)
  const value = options.map(([, text]) => /^(?:max_run_subjobs=|%)(\d+)$/.exec(text)?.[1]).find(Boolean)
  if (value === undefined) usage('qalter', 'illegal value')
  forEach('qalter', rest, ({ job }) => {
    job.throttle = Number(value)
  })
}

const holder = held => words => {
  refuseWhenAway(held ? 'qhold' : 'qrls')
  forEach(held ? 'qhold' : 'qrls', words, ({ job }) => {
    job.held = held
  })
}

main({ qsub, qstat, qdel, qalter, qhold: holder(true), qrls: holder(false) })
