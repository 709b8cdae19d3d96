import { expect, test } from 'vitest'
import { alarmTitle, expected } from './alarms'
import type { AlarmRow } from './types'

const say = (key: string, named?: Record<string, unknown>): string => `${key}${named ? JSON.stringify(named) : ''}`
const row = (over: Partial<AlarmRow>): AlarmRow => ({ title: '', surge: null, ...over }) as AlarmRow

test('a burst is called by what its complaints share, and is never without a name', () => {
  expect(alarmTitle(row({ title: '翠屏苑 · 基站' }), say)).toBe('翠屏苑 · 基站')
  expect(alarmTitle(row({}), say)).toBe('console.alarms.untitled')
})

test('a surge is called by its day and by what was counted', () => {
  const surge = { by: 'branch' as const, key: 'CQ0101', day: '2026-07-21', count: 70, expected: 12.4, p: 1e-9 }
  const title = alarmTitle(row({ surge }), say)
  expect(title).toContain('2026-07-21')
  expect(title).toContain('console.alarms.by.branch')
  expect([expected(12.4), expected(3.26)]).toEqual(['12', '3.3'])
})
