import { expect, test } from 'vitest'
import { isLate, markOf, openFirst } from './course'

const at = (hour: number): string => `2026-07-21T${String(hour).padStart(2, '0')}:00:00Z`
const now = Date.parse(at(10))

test('what waits for an answer stands before what has one', () => {
  const asked = (id: string, ...replies: string[]) => ({ id, replies })
  const questions = [asked('1', 'yes'), asked('2'), asked('3', 'no'), asked('4')]
  expect(openFirst(questions).map((one) => one.id)).toEqual(['2', '4', '1', '3'])
})

test('a measure is late that is not done in time, or was done later', () => {
  expect(isLate({ due_at: at(11), done_at: null }, now)).toBe(false)
  expect(isLate({ due_at: at(9), done_at: null }, now)).toBe(true)
  expect(isLate({ due_at: at(9), done_at: at(8) }, now)).toBe(false)
  expect(isLate({ due_at: at(8), done_at: at(9) }, now)).toBe(true)
})

test('a measure that runs in time has no mark', () => {
  expect(markOf({ due_at: at(11), done_at: null }, now)).toBeNull()
  expect(markOf({ due_at: at(9), done_at: null }, now)).toBe('late')
  expect(markOf({ due_at: at(9), done_at: at(8) }, now)).toBe('done')
  expect(markOf({ due_at: at(8), done_at: at(9) }, now)).toBe('done_late')
})
