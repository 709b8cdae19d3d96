import { expect, test } from 'vitest'
import { isIdle } from './idle'

test('the lock comes after the minutes the policy sets, and never when it sets none', () => {
  expect(isIdle(0, 10 * 60_000 - 1, 10)).toBe(false)
  expect(isIdle(0, 10 * 60_000, 10)).toBe(true)
  expect(isIdle(0, 1e12, 0)).toBe(false)
})
