// Written answers: which there can be, and how they are named.
import type { LetterChoice, LetterRow } from './types'

export const KINDS = ['letter', 'receipt'] as const
export const LANGUAGES = ['zh-CN', 'zh-TW', 'en'] as const

/** The one made of this cycle's answer; there is one of each kind and language. */
export function findLetter(letters: LetterRow[], cycle: number, chosen: LetterChoice): LetterRow | undefined {
  return letters.find(
    (one) => one.cycle === cycle && one.kind === chosen.kind && one.language === chosen.language,
  )
}

/** What a downloaded file is called: the complaint's number and no person. */
export const fileName = (reference: string, letter: LetterRow): string =>
  `${reference}-${letter.kind}-${letter.language}.pdf`

/** The beginning and the end of a checksum, as people compare them. */
export const shortHash = (sha256: string): string => `${sha256.slice(0, 8)}…${sha256.slice(-8)}`
