import { expect, test, vi } from 'vitest'
import { guidanceLimit, isOverLimit, needsText, takeStep } from './steps'

const { reply, takeOver } = vi.hoisted(() => ({ reply: vi.fn(), takeOver: vi.fn() }))
vi.mock('../host', () => ({ host: { reply, takeOver } }))

test('only a handoff may go without words', () => {
  const steps = ['settle', 'hand_off', 'note', 'withdraw', 'reply', 'take_over'] as const
  expect(steps.filter((step) => !needsText(step))).toEqual(['hand_off'])
})

test('more than the guidance allows is noticed; without a limit nothing is', () => {
  expect(isOverLimit(20_001, 20_000)).toBe(true)
  expect(isOverLimit(20_000, 20_000)).toBe(false)
  expect(isOverLimit(null, 20_000)).toBe(false)
  expect(isOverLimit(20_001, null)).toBe(false)
})

test('guidance without a sum lets a branch give none, and without guidance nothing is bounded', () => {
  const guidance = { category: 'A', version: 1, title: '', text: '', limit_minor: null }
  expect(isOverLimit(1, guidanceLimit(guidance))).toBe(true)
  expect(isOverLimit(1, guidanceLimit({ ...guidance, limit_minor: 1 }))).toBe(false)
  expect(isOverLimit(1, guidanceLimit(null))).toBe(false)
})

test('a reply goes to the question it was written for', async () => {
  await takeStep('reply', 'case', { summary: ' on the 3rd \n', remedy: '', amount_minor: null, deviation: '' }, 'second')
  expect(reply).toHaveBeenCalledExactlyOnceWith('case', 'second', 'on the 3rd')
})

test('a complaint is taken over with the reason', async () => {
  await takeStep('take_over', 'case', { summary: ' A is broken ', remedy: '', amount_minor: null, deviation: '' })
  expect(takeOver).toHaveBeenCalledExactlyOnceWith('case', 'A is broken')
})
