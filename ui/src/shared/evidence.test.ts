import { expect, test } from 'vitest'
import { percentOf, sizeOf } from './evidence'

test('sizes are said in the largest unit that keeps them above one', () => {
  expect([0, 1023, 1536, 20 * 1024 * 1024, 200 * 1024 * 1024].map(sizeOf)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KB',
    '20 MB',
    '200 MB',
  ])
})

test('a file is whole only when the receipt says so', () => {
  const file = { bytes: 1000, received: 1000 }
  expect(percentOf({ ...file, state: 'partly' })).toBe(99)
  expect(percentOf({ ...file, received: 0, state: 'at_hub' })).toBe(100)
  expect(percentOf({ bytes: 0, received: 0, state: 'waiting' })).toBe(0)
})
