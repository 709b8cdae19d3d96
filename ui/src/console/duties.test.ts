import { expect, test } from 'vitest'
import { dueOf, hasDuties, inOrder, isOverdue } from './duties'
import type { DutyRow } from './types'

const HOUR = 60 * 60_000
const at = (hours: number): string => new Date(Date.UTC(2026, 10, 2) + hours * HOUR).toISOString()
const now = Date.parse(at(10))

const row = (parts: Partial<DutyRow>): DutyRow =>
  ({ id: 'c', item: 'i', duty: 'question', at: at(1), arrived_at: at(0), next_clock: null, next_due: null, ...parts }) as DutyRow

test('a measure is due at its own time, a call-back by its clock, the others only wait', () => {
  expect(dueOf(row({ duty: 'measure', at: at(9) }))?.due).toBe(at(9))
  expect(dueOf(row({ duty: 'call_back', next_clock: 'call_back', next_due: at(30) }))?.due).toBe(at(30))
  expect(dueOf(row({ duty: 'call_back' }))).toBeNull()
  for (const duty of ['question', 'extension', 'approval'] as const) {
    expect(dueOf(row({ duty, next_clock: 'cycle', next_due: at(2) })), duty).toBeNull()
  }
})

test('the late ones come first and keep their order', () => {
  const rows = [
    row({ id: '1' }),
    row({ id: '2', duty: 'measure', at: at(9) }),
    row({ id: '3', duty: 'measure', at: at(11) }),
    row({ id: '4', duty: 'measure', at: at(8) }),
  ]
  expect(inOrder(rows, now).map((one) => one.id)).toEqual(['2', '4', '1', '3'])
  expect(rows.filter((one) => isOverdue(one, now)).map((one) => one.id)).toEqual(['2', '4'])
})

test('who only reads, and who sees no complaint, has nothing to do here', () => {
  expect(['auditor', 'administrator', 'system', 'customer'].some((role) => hasDuties(role as 'auditor'))).toBe(false)
  expect(hasDuties('branch_manager')).toBe(true)
  expect(hasDuties(undefined)).toBe(false)
})
