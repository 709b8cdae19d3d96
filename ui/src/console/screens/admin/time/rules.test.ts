import { reactive } from 'vue'
import { expect, test } from 'vitest'
import type { CalendarDay, Hours, Policy } from '../../../types'
import { clockOf, copyOf, furtherSpan, inUnit, minutesOf, monthsOf, spansText, tidied, uncovered } from './rules'

test('a length is told in the largest unit that says it exactly', () => {
  expect(inUnit(15)).toEqual({ n: 15, unit: 'minutes' })
  expect(inUnit(90)).toEqual({ n: 90, unit: 'minutes' })
  expect(inUnit(120)).toEqual({ n: 2, unit: 'hours' })
  expect(inUnit(25 * 60)).toEqual({ n: 25, unit: 'hours' })
  expect(inUnit(7 * 24 * 60)).toEqual({ n: 7, unit: 'days' })
  expect(inUnit(0)).toEqual({ n: 0, unit: 'minutes' })
})

test('a time of the day goes there and back, and its end is no beginning', () => {
  for (const minutes of [0, 5, 540, 1439]) expect(minutesOf(clockOf(minutes))).toBe(minutes)
  expect(spansText([{ from: 540, to: 720 }, { from: 780, to: 1440 }])).toBe('09:00–12:00, 13:00–24:00')
})

test('a further span follows the last and ends by midnight', () => {
  expect(furtherSpan([])).toEqual({ from: 540, to: 1080 })
  expect(furtherSpan([{ from: 540, to: 720 }])).toEqual({ from: 780, to: 1020 })
  expect(furtherSpan([{ from: 540, to: 1440 }]).to).toBe(1440)
})

test('a copy of what is watched shares nothing with it', () => {
  const first = reactive({ list: [1] })
  copyOf(first).list.push(2)
  expect(first.list).toEqual([1])
})

test('reminders and spans are put in order, and the first policy stays as it is', () => {
  const day = [{ from: 780, to: 1080 }, { from: 540, to: 720 }]
  const hours: Hours = { week: [day, [], [], [], [], [], []], makeup: [], half_day: [], holiday: [] }
  const policy = { reminders: [30, 15, 30], hours, branch_hours: { CQ0101: copyOf(hours) } } as unknown as Policy
  const tidy = tidied(policy)
  expect(tidy.reminders).toEqual([15, 30])
  expect(spansText(tidy.hours.week[0] ?? [])).toBe('09:00–12:00, 13:00–18:00')
  expect(tidy.branch_hours.CQ0101?.week[0]?.[0]?.from).toBe(540)
  expect(policy.reminders).toEqual([30, 15, 30])
  expect(day[0]?.from).toBe(780)
})

test('this year needs a calendar, and from November on the next one too', () => {
  const at = (year: number, month: number, day: number): number => new Date(year, month - 1, day, 12).getTime()
  const years = [2025, 2026]
  expect(uncovered(years, at(2026, 10, 31))).toEqual([])
  expect(uncovered(years, at(2026, 11, 1))).toEqual([2027])
  expect(uncovered(years, at(2027, 3, 1))).toEqual([2027])
  expect(uncovered(years, at(2027, 12, 1))).toEqual([2027, 2028])
  expect(uncovered([...years, 2027], at(2026, 12, 31))).toEqual([])
})

test('the days of a year stand by its months', () => {
  const day = (date: string): CalendarDay => ({ date, kind: 'holiday' })
  const days = ['2025-12-31', '2026-01-01', '2026-01-02', '2026-05-01', '2027-01-01'].map(day)
  expect(monthsOf(days, 2026).map((month) => month.map((one) => one.date.slice(5)))).toEqual([
    ['01-01', '01-02'],
    ['05-01'],
  ])
  expect(monthsOf(days, 2024)).toEqual([])
})
