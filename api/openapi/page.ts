import type { DocumentedOperation, OpenApiDocument, Parameter } from './document.ts'
import type { JsonSchema } from './json-schema.ts'

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
nav a { margin-right: 1em; white-space: nowrap; }
summary { cursor: pointer; padding: .3em 0; }
code, pre { font-family: ui-monospace, monospace; font-size: 13px; }
pre { background: #8881; overflow-x: auto; padding: .7em; }
.method { display: inline-block; font-weight: 600; width: 4.5em; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid #8885; padding: .2em .8em .2em 0; text-align: left; }
:target > summary { background: #fc06; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } a { color: #8bf; } }`

/** Shows the document as a page that needs no script and nothing from elsewhere. */
export function openApiPage(document: OpenApiDocument): string {
  const tags = document.tags.map(({ name }) => name)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = tags.map(tag => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag))
    return `<h2 id="${slug(tag)}">${escaped(tag)}</h2>${own.map(renderOperation).join('')}`
  })
  const models = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${name}"><summary><code>${name}</code></summary>${renderSchema(schema)}</details>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Headrace API</title><style>${STYLE}</style>
<h1>Headrace API ${escaped(document.info.version)}</h1>
<p>${operations.length} operations below <code>${document.servers.map(({ url }) => url).join('</code> and <code>')}</code>,
from <a href="/openapi.json">openapi.json</a>.</p>
<nav>${[...tags, 'models'].map(tag => `<a href="#${slug(tag)}">${escaped(tag)}</a>`).join(' ')}</nav>
${sections.join('\n')}
<h2 id="models">models</h2>${models.join('\n')}</html>`
}

type Shown = { path: string; method: string; operation: DocumentedOperation }

function renderOperation({ path, method, operation }: Shown): string {
  const { operationId, summary, parameters = [], requestBody, responses } = operation
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  return `<details id="${operationId}"><summary><span class="method">${method.toUpperCase()}</span>
<code>${escaped(path)}</code> ${escaped(summary)}</summary>
<p>Operation <a href="#${operationId}"><code>${operationId}</code></a></p>
${parameters.length > 0 ? `<table>${parameters.map(renderParameter).join('')}</table>` : ''}
${requestBody === undefined ? '' : `<h4>Body${requestBody.required ? '' : ' (optional)'}</h4>${renderContent(requestBody.content)}`}
${answers.map(([status, answer]) => `<h4>${status}</h4>${'content' in answer ? renderContent(answer.content ?? {}) : ''}`).join('')}
</details>`
}

const renderParameter = ({ name, in: place, required, schema, description = '' }: Parameter): string =>
  `<tr><td><code>${escaped(name)}</code></td><td>${place}</td><td>${required ? 'required' : ''}</td>
<td>${escaped(typeOf(schema))}</td><td>${escaped(description)}</td></tr>`

const renderContent = (content: Record<string, { schema: JsonSchema }>): string =>
  Object.entries(content)
    .map(([type, { schema }]) => `<p><code>${escaped(type)}</code></p>${renderSchema(schema)}`)
    .join('')

/** References become links to the models. */
const renderSchema = (schema: JsonSchema): string =>
  `<pre>${escaped(JSON.stringify(schema, undefined, 2)).replace(
    /&quot;\$ref&quot;: &quot;#\/components\/schemas\/(\w+)&quot;/g,
    '<a href="#schema-$1">$1</a>',
  )}</pre>`

const typeOf = ({ type, enum: words }: JsonSchema): string => words?.join(' | ') ?? String(type ?? 'any')

const slug = (text: string): string => text.toLowerCase().replace(/\W+/g, '-')

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, found => ENTITIES[found]!)
