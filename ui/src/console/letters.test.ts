import { describe, expect, it } from 'vitest'
import { fileName, findLetter, shortHash } from './letters'
import type { LetterRow } from './types'

const letter = (changed: Partial<LetterRow> = {}): LetterRow => ({
  id: '0190f3c2-0000-7000-8000-000000000001',
  kind: 'letter',
  language: 'zh-CN',
  cycle: 1,
  sha256: `0123456789abcdef${'0'.repeat(40)}fedcba98`,
  bytes: 84_000,
  made_by: '专家 李',
  made_at: '2026-07-29T02:00:00Z',
  ...changed,
})

describe('written answers', () => {
  it('are made once of an answer, kind and language, and anew after reopening', () => {
    const letters = [letter()]
    const chosen = { kind: 'letter', language: 'zh-CN' } as const
    expect(findLetter(letters, 1, chosen)).toBe(letters[0])
    expect(findLetter(letters, 2, chosen)).toBeUndefined()
    expect(findLetter(letters, 1, { ...chosen, kind: 'receipt' })).toBeUndefined()
    expect(findLetter(letters, 1, { ...chosen, language: 'en' })).toBeUndefined()
  })

  it('are saved under a name that tells no person', () => {
    const name = fileName('CQ0123-260721-A-0042-7K', letter({ kind: 'receipt', language: 'en' }))
    expect(name).toBe('CQ0123-260721-A-0042-7K-receipt-en.pdf')
  })

  it('show both ends of their checksum', () => {
    expect(shortHash(letter().sha256)).toBe('01234567…fedcba98')
  })
})
