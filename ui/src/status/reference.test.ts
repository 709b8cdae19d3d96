import { expect, test } from 'vitest'
import { readDigits, readReference } from './reference'

/** Made by the program itself. */
const PRINTED = 'CQ0101-261123-A-0001-P4'

test('a number is read in any writing', () => {
  const wide = [...PRINTED].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join('')
  for (const typed of [PRINTED, PRINTED.toLowerCase(), PRINTED.replace(/-/g, ''), PRINTED.replace(/-/g, ' '), wide, ` ${PRINTED}\u3000`]) {
    expect(readReference(typed)).toEqual({ reference: PRINTED })
  }
})

test('a wrong character and two swapped are told apart from what is no number', () => {
  expect(readReference(PRINTED.replace('0001', '0002'))).toEqual({ problem: 'check' })
  expect(readReference(PRINTED.replace('261123', '216123'))).toEqual({ problem: 'check' })
  for (const typed of ['', '宽带', '13800138000', 'CQ0101']) {
    expect(readReference(typed)).toEqual({ problem: 'form' })
  }
})

test('digits are four', () => {
  expect(readDigits(' ８０ 00')).toBe('8000')
  for (const typed of ['', '800', '80000', 'abcd']) expect(readDigits(typed)).toBeNull()
})
