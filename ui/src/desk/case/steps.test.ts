import { expect, test, vi } from 'vitest'
import { isOverLimit, needsText, takeStep } from './steps'

const reply = vi.hoisted(() => vi.fn())
vi.mock('../host', () => ({ host: { reply } }))

test('only a handoff may go without words', () => {
  expect((['settle', 'hand_off', 'note', 'withdraw', 'reply'] as const).filter((s) => !needsText(s))).toEqual([
    'hand_off',
  ])
})

test('more than the guidance allows is noticed; without a limit nothing is', () => {
  expect(isOverLimit(20_001, 20_000)).toBe(true)
  expect(isOverLimit(20_000, 20_000)).toBe(false)
  expect(isOverLimit(null, 20_000)).toBe(false)
  expect(isOverLimit(20_001, null)).toBe(false)
})

test('a reply goes to the question it was written for', async () => {
  await takeStep('reply', 'case', { summary: ' on the 3rd \n', remedy: '', amount_minor: null }, 'second')
  expect(reply).toHaveBeenCalledExactlyOnceWith('case', 'second', 'on the 3rd')
})
