/** Text of others on a screen: what it may contain and how many columns it takes. */

/** Printable ASCII, which nearly every text is. */
const PLAIN = /^[ -~]*$/

// Unicode's classes take V8 a millisecond to read, so they stand where only other text comes.
const isWide = (character: string): boolean =>
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60\u3000-\u303e]/u.test(
    character,
  )
const isWithoutWidth = (character: string): boolean => /[\p{Mn}\p{Me}\p{Cf}]/u.test(character)

/** Makes a name or a log line harmless: a control character could move the cursor or change the colours. Lines become one. */
export const clean = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text
        .replace(/\s*\n\s*/g, ' ')
        .replaceAll('\t', '  ')
        .replace(/\p{Cc}/gu, '?')

/** Columns of a text without control characters. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

const columnsOf = (character: string): number => (isWithoutWidth(character) ? 0 : isWide(character) ? 2 : 1)

/** Cuts a text to a number of columns; what is cut is marked. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 1) return ''
  let kept = ''
  let used = 0
  for (const character of text) {
    used += columnsOf(character)
    if (used > width - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Fills a text with blanks up to a number of columns. */
export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))
export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - widthOf(text))) + text

/** Breaks a text at blanks; a word that is too long stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
