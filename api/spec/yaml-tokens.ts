import { Lexer } from 'yaml'

/** A piece of a YAML text; the content of a scalar without quotes may look like anything else. */
export interface YamlToken {
  at: number
  text: string
  isScalar: boolean
}

/** Tokens of the lexer that are not in the text: the start of a document, the end of a broken flow, and that a scalar follows. */
const DOCUMENT_MARK = '\u0002'
const FLOW_END_MARK = '\u0018'
const SCALAR_MARK = '\u001f'

/** Cuts a text into tokens that joined give the text again. */
export function* yamlTokens(source: string): Generator<YamlToken> {
  let at = 0
  let isScalar = false
  for (const text of new Lexer().lex(source)) {
    if (text !== DOCUMENT_MARK && text !== FLOW_END_MARK && text !== SCALAR_MARK) {
      yield { at, text, isScalar }
      at += text.length
    }
    isScalar = text === SCALAR_MARK
  }
}
