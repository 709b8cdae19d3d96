import { expect, test } from 'vitest'
import { consoleTime } from '@/texts/zh-CN/console/time'
import type { Hours, PauseRule, Policy, TimeProblem } from '../../../types'
import { faultOf } from './fault'

const hours = (over: Partial<Hours> = {}): Hours => ({
  week: [[{ from: 540, to: 1080 }], [], [], [], [], [], []],
  makeup: [],
  half_day: [],
  holiday: [],
  ...over,
})
const rule = (over: Partial<PauseRule> = {}): PauseRule => ({
  reason: 'customer',
  name: '等待客户',
  clocks: ['cycle'],
  most: null,
  ...over,
})
const policy = (over: Partial<Policy>): Policy => ({ hours: hours(), branch_hours: {}, pauses: [rule()], ...over }) as Policy

function placed(problem: TimeProblem, over: Partial<Policy> = {}): string {
  const { tab, field, key, params } = faultOf(problem, policy(over))
  const name = key.replace('console.time.problem.', '')
  expect(Object.keys(consoleTime.problem), 'every fault has its sentence').toContain(name)
  return [tab, field, name, ...Object.values(params)].join(' ')
}

test('what is wrong with a limit stands at it', () => {
  const error = (problem: 'zero' | 'too_long') => ({ part: 'policy', error: { problem, field: 'feedback' } }) as const
  expect(placed(error('zero'))).toBe('limits feedback zero')
  expect(placed(error('too_long'))).toBe('limits feedback too_long')
  expect(placed({ part: 'policy', error: { problem: 'automatic_handoff' } })).toBe(
    'limits automatic_handoff_before automatic_handoff',
  )
  expect(placed({ part: 'policy', error: { problem: 'reminder' } })).toBe('limits reminders reminder')
  expect(placed({ part: 'policy', error: { problem: 'zone' } })).toBe('hours zone zone')
})

test('what is wrong with hours stands at the day, of all or of a branch', () => {
  const wrong = (branch: string | null, error: 'span' | 'order' | 'no_work'): TimeProblem => ({
    part: 'policy',
    error: { problem: 'hours', branch, error },
  })
  const backwards = hours({ makeup: [{ from: 600, to: 600 }] })
  const crossed = hours({ holiday: [{ from: 540, to: 720 }, { from: 700, to: 800 }] })
  const idle = hours({ week: [[], [], [], [], [], [], []] })
  expect(placed(wrong(null, 'span'), { hours: backwards })).toBe('hours hours..makeup hours_span')
  expect(placed(wrong('CQ0101', 'order'), { branch_hours: { CQ0101: crossed } })).toBe(
    'hours hours.CQ0101.holiday hours_order',
  )
  expect(placed(wrong('CQ0101', 'no_work'), { branch_hours: { CQ0101: idle } })).toBe('hours hours.CQ0101 hours_no_work')
})

test('what a pause lacks stands at the field, and of two alike at the later', () => {
  const wrong = (reason: string): TimeProblem => ({ part: 'policy', error: { problem: 'pause', reason } })
  const other = (over: Partial<PauseRule>) => ({ pauses: [rule(), rule({ reason: 'police', ...over })] })
  expect(placed(wrong(''), other({ reason: '' }))).toBe('pauses pauses.1.reason pause_reason')
  expect(placed(wrong('police'), other({ name: ' ' }))).toBe('pauses pauses.1.name pause_name')
  expect(placed(wrong('police'), other({ clocks: [] }))).toBe('pauses pauses.1.clocks pause_clocks')
  expect(placed(wrong('police'), other({ most: 0 }))).toBe('pauses pauses.1.most pause_most')
  expect(placed(wrong('customer'), other({ reason: 'customer' }))).toBe('pauses pauses.1.reason pause_twice')
  const never: TimeProblem = { part: 'policy', error: { problem: 'never_pauses', clock: 'handoff' } }
  expect(placed(never, other({ clocks: ['handoff'] }))).toBe('pauses pauses.1.clocks never_pauses')
})

test('what is wrong with the ladder stands at its clock, by the level', () => {
  for (const level of ['remind', 'copy', 'report'] as const) {
    expect(placed({ part: 'policy', error: { problem: 'ladder', clock: 'department', level } })).toBe(
      `ladder ladder.department ladder_${level}`,
    )
  }
})

test('what is wrong with a file names its line', () => {
  expect(placed({ part: 'calendar_line', line: 3 })).toBe('calendar calendar calendar_line 3')
  expect(placed({ part: 'calendar_twice', line: 4 })).toBe('calendar calendar calendar_twice 4')
  expect(placed({ part: 'calendar_empty' })).toBe('calendar calendar calendar_empty')
})
