import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { clearFault, end, fault, finish, main, now, pathOf, requeue, tick, withState } from './engine.mjs'

/**
 * condor_submit, condor_q, condor_rm, condor_hold, condor_release and condor_history with the messages and exit codes of hpc.md 2 and 7.
 * Whatever option or submit command it does not know is refused. Faults: refused, hang, evict, hold, lease_lost, slow_remove.
 */
const COMMANDS = new Set(
  `universe executable arguments initialdir output error log batch_name environment request_cpus request_memory request_gpus
  accounting_group allowed_execute_duration periodic_remove kill_sig hold queue`.split(/\s+/),
)
const AWAY =
  '-- Failed to fetch ads from: <127.0.0.1:9618?addrs=127.0.0.1-9618> : host\nSECMAN:2007:Failed to end classad message.\n'
/** Held by condor_hold; over allowed_execute_duration; a fault of the machine. */
const [BY_USER, OVERDUE, BROKEN] = [1, 47, 6]

const refuseWhenAway = () => fault().name === 'refused' && finish(1, { err: AWAY })
const usage = text => finish(1, { err: `ERROR: ${text}\n` })

function parseSubmitFile(path) {
  const values = {}
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((line, at) => {
      const text = line.trim()
      if (text === '' || text.startsWith('#')) return
      const [, name, value] = /^(\w+)\s*=\s*(.*)$/.exec(text) ?? /^(queue)\s*(\d*)$/.exec(text) ?? []
      if (!COMMANDS.has(name)) usage(`Failed to parse command file (line ${at + 1}).`)
      values[name] = value
    })
  if (values.queue === undefined || values.executable === undefined) usage('Failed to parse command file (line 1).')
  return values
}

function condor_submit(words) {
  const terse = words.includes('-terse')
  const dry = words.indexOf('-dry-run')
  const rest = words.filter((word, at) => word !== '-terse' && at !== dry && (dry < 0 || at !== dry + 1))
  if (rest.length !== 1 || rest[0].startsWith('-')) usage(`unknown option ${rest[0]}`)
  const values = parseSubmitFile(resolve(rest[0]))
  if (values.accounting_group === 'nobody') usage('accounting group nobody is unknown')
  if (dry >= 0) finish(0, { out: 'Dry-Run job(s)\n' })
  refuseWhenAway()
  const size = Number(values.queue || 1)
  const number = withState(state => {
    const job = {
      number: state.next++,
      name: values.batch_name ?? '',
      values,
      walltime: Number(values.allowed_execute_duration ?? 86_400),
      submittedAt: now(),
      elements: Array.from({ length: size }, (_, index) => ({ index, state: values.hold === 'True' ? 'H' : 'Q' })),
    }
    state.jobs.push(job)
    advance(state)
    return job.number
  })
  if (terse) finish(0, { out: `${number}.0 - ${number}.${size - 1}\n` })
  finish(0, {
    out: `Submitting job(s)${'.'.repeat(size)}\n${size} job(s) submitted to cluster ${number}.\n`,
    err: `To monitor your job(s), run: condor_watch_q -clusters ${number}\n`,
  })
}

const expand = (text, { number }, { index }) =>
  text.replaceAll('$(Process)', String(index)).replaceAll('$(Cluster)', String(number))

function launch(job, element) {
  const { values } = job
  const cores = values.request_cpus ?? '1'
  const [jobAd, machineAd] = ['job', 'machine'].map(kind => pathOf(`${job.number}.${element.index}.${kind}.ad`))
  const started = Math.floor(now() / 1000)
  writeFileSync(
    jobAd,
    [
      `ClusterId = ${job.number}`,
      `ProcId = ${element.index}`,
      `NumJobStarts = ${element.starts ?? 1}`,
      `JobCurrentStartDate = ${started}`,
      `AllowedExecuteDuration = ${job.walltime}`,
      `JobBatchName = "${job.name}"`,
      '',
    ].join('\n'),
  )
  writeFileSync(machineAd, `Cpus = ${cores}\nMemory = ${values.request_memory ?? 1024}\n`)
  const own = (values.environment ?? '""').replace(/^"|"$/g, '').split(' ').filter(Boolean)
  const env = {
    ...Object.fromEntries(own.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])),
    BATCH_SYSTEM: 'HTCondor',
    _CONDOR_SCRATCH_DIR: pathOf(''),
    _CONDOR_SLOT: 'slot1_1',
    _CONDOR_JOB_AD: jobAd,
    _CONDOR_MACHINE_AD: machineAd,
    OMP_NUM_THREADS: cores,
    ...(values.request_gpus === undefined
      ? {}
      : { CUDA_VISIBLE_DEVICES: [...Array(Number(values.request_gpus)).keys()].join() }),
  }
  const words = (values.arguments ?? '')
    .split(' ')
    .filter(Boolean)
    .map(word => expand(word, job, element))
  const [output, error] = [values.output, values.error].map(path => expand(path ?? '/dev/null', job, element))
  return { argv: [values.executable, ...words], env, output, error, cwd: values.initialdir ?? process.cwd() }
}

const hold = (element, code, reason) => Object.assign(element, { state: 'H', code, reason })

function advance(state) {
  const running = state.jobs.flatMap(({ elements }) => elements).filter(({ state: word }) => word === 'R')
  switch (fault().name) {
    case 'evict':
      for (const element of running) endNow(element)
      for (const element of running) requeue(element)
      clearFault()
      break
    case 'lease_lost':
      for (const element of running) requeue(element)
      clearFault()
      break
    case 'hold':
      for (const element of running) {
        endNow(element)
        hold(element, BROKEN, 'Error from slot1_1: the job could not go on')
      }
      clearFault()
  }
  tick(state, launch, element => {
    endNow(element)
    hold(element, OVERDUE, 'Job exceeded allowed execute duration')
  })
  // The job asked for it: periodic_remove.
  for (const { values, elements } of state.jobs)
    for (const one of elements)
      if (one.state === 'H' && one.code === OVERDUE && /HoldReasonCode == 47/.test(values.periodic_remove ?? ''))
        Object.assign(one, { state: 'X', removed: true, endedAt: now() })
}

/** The whole group, at once. */
function endNow({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const STATUS = { Q: 1, R: 2, H: 5 }
const statusOf = element => (element.termAt !== undefined && element.state === 'R' ? 3 : STATUS[element.state])

/** An ad for everything that is in the queue: what has ended has left it. */
const rowsOf = state =>
  state.jobs.flatMap(job =>
    job.elements
      .filter(({ state: word }) => word !== 'X')
      .map(element => ({
        ClusterId: job.number,
        ProcId: element.index,
        JobStatus: statusOf(element),
        JobBatchName: job.name,
        NumJobStarts: element.starts ?? 0,
        QDate: Math.floor(job.submittedAt / 1000),
        ...(element.state === 'H' ? { HoldReason: element.reason, HoldReasonCode: element.code } : {}),
      })),
  )

/** Comparisons of attributes with numbers and texts, joined by && and ||. */
function parseConstraint(text) {
  const token = /\s*(\(|\)|==|&&|\|\||\d+|"[^"]*"|ClusterId|ProcId|JobStatus|JobBatchName)/gy
  let [script, at] = ['', 0]
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    script += /^[A-Z]/.test(match[1]) ? `row.${match[1]}` : match[1]
    at = token.lastIndex
  }
  if (text.slice(at).trim() !== '') usage(`Parse error in constraint expression "${text}"`)
  return new Function('row', `return ${script}`)
}

function parseQuery(program, words) {
  const query = { json: false, matches: () => true }
  for (let at = 0; at < words.length; at++) {
    if (words[at] === '-json') query.json = true
    else if (words[at] === '-nobatch') query.json = false
    else if (words[at] === '-attributes') query.attributes = words[++at].split(',')
    else if (words[at] === '-constraint') query.matches = parseConstraint(words[++at])
    else usage(`${program}: unrecognized option ${words[at]}`)
  }
  return query
}

const toJson = (rows, attributes) => {
  if (rows.length === 0) return ''
  const shown = rows.map(row =>
    Object.fromEntries(Object.entries(row).filter(([name]) => attributes === undefined || attributes.includes(name))),
  )
  return `[\n${shown.map(row => JSON.stringify(row)).join('\n,\n')}\n]\n`
}

const LETTERS = { 1: 'I', 2: 'R', 3: 'X', 5: 'H' }

function condor_q(words) {
  refuseWhenAway()
  const { json, attributes, matches } = parseQuery('condor_q', words)
  const rows = withState(state => {
    advance(state)
    return rowsOf(state).filter(matches)
  })
  if (json) finish(0, { out: toJson(rows, attributes) })
  finish(0, {
    out: rows.map(row => `${row.ClusterId}.${row.ProcId} ${LETTERS[row.JobStatus]} ${row.JobBatchName}\n`).join(''),
  })
}

function condor_history(words) {
  refuseWhenAway()
  const { attributes, matches } = parseQuery('condor_history', words)
  const rows = withState(state =>
    state.jobs.flatMap(job =>
      job.elements
        .filter(({ state: word }) => word === 'X')
        .map(element => ({
          ClusterId: job.number,
          ProcId: element.index,
          JobStatus: element.removed ? 3 : 4,
          ExitCode: element.exit,
        })),
    ),
  )
  finish(0, { out: toJson(rows.filter(matches), attributes) })
}

const remove = element => {
  element.removed = true
  if (element.state === 'H') Object.assign(element, { state: 'X', endedAt: now() })
  else if (fault().name !== 'slow_remove') end(element)
}

/** What the words name: whole clusters, single processes, or what a constraint matches. */
function condor_rm(words) {
  refuseWhenAway()
  let [out, err] = ['', '']
  withState(state => {
    advance(state)
    if (words[0] === '-constraint') {
      const rows = rowsOf(state).filter(parseConstraint(words[1]))
      if (rowsOf(state).length === 0) out = 'There are no jobs in the queue\n'
      else if (rows.length === 0) err = `Couldn't find/remove all jobs matching constraint (${words[1]})\n`
      else out = `All jobs matching constraint (${words[1]}) have been marked for removal\n`
      for (const { ClusterId, ProcId } of rows) remove(elementOf(state, ClusterId, ProcId))
      return
    }
    for (const word of words) {
      const [, cluster, process] = /^(\d+)(?:\.(\d+))?$/.exec(word) ?? usage(`invalid id ${word}`)
      const live = rowsOf(state).filter(row => row.ClusterId === Number(cluster))
      if (process === undefined) {
        if (rowsOf(state).length === 0) out += 'There are no jobs in the queue\n'
        else if (live.length === 0) err += `Couldn't find/remove all jobs in cluster ${cluster}\n`
        else out += `All jobs in cluster ${cluster} have been marked for removal\n`
        for (const { ProcId } of live) remove(elementOf(state, Number(cluster), ProcId))
        continue
      }
      const row = live.find(({ ProcId }) => ProcId === Number(process))
      if (row === undefined) err += `Job ${word} not found\n`
      else if (row.JobStatus === 3) err += `Job ${word} already marked for removal\n`
      else {
        out += `Job ${word} marked for removal\n`
        remove(elementOf(state, Number(cluster), Number(process)))
      }
    }
  })
  finish(err === '' ? 0 : 1, { out, err })
}

const elementOf = (state, cluster, process) =>
  state.jobs.find(({ number }) => number === cluster).elements.find(({ index }) => index === process)

const changer = change => words => {
  refuseWhenAway()
  withState(state => {
    advance(state)
    for (const { number, elements } of state.jobs)
      if (words.includes(String(number))) for (const element of elements) change(element)
  })
  finish(0, { out: words.map(word => `All jobs in cluster ${word} have been changed\n`).join('') })
}

main({
  condor_submit,
  condor_q,
  condor_rm,
  condor_history,
  condor_hold: changer(element => {
    if (element.state === 'R') endNow(element)
    if (element.state !== 'X') hold(element, BY_USER, 'via condor_hold')
  }),
  condor_release: changer(element => {
    if (element.state === 'H') element.state = 'Q'
  }),
})
