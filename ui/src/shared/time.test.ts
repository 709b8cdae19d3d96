import { expect, test } from 'vitest'
import { nearTime, span, urgency, used } from './time'
import type { Deadline } from './types'

const NOW = Date.parse('2026-11-22T10:00:00Z')
const MINUTE = 60_000

function deadline(from: number, due: number, rest: Partial<Deadline> = {}): Deadline {
  return {
    clock: 'handoff',
    from: new Date(NOW + from * MINUTE).toISOString(),
    due: new Date(NOW + due * MINUTE).toISOString(),
    ended: null,
    past_at_recording: false,
    calendar_covered: true,
    task: null,
    paused_since: null,
    paused_until: null,
    policy: 1,
    ...rest,
  }
}

test('a span is said in at most two units, seconds only below a minute', () => {
  expect(span(59_999)).toEqual({ key: 'words.time.seconds', params: { n: 59 } })
  expect(span(60_000)).toEqual({ key: 'words.time.minutes', params: { n: 1 } })
  expect(span(60 * MINUTE)).toEqual({ key: 'words.time.hours', params: { n: 1 } })
  expect(span(-90 * MINUTE)).toEqual({ key: 'words.time.hours_minutes', params: { h: 1, m: 30 } })
  expect(span(49 * 60 * MINUTE)).toEqual({ key: 'words.time.days_hours', params: { d: 2, h: 1 } })
})

test('the last quarter is soon, after the end it is over', () => {
  expect(urgency(deadline(-30, 30), NOW)).toBe('calm')
  expect(urgency(deadline(-45, 15), NOW)).toBe('soon')
  expect(urgency(deadline(-60, 0), NOW)).toBe('soon')
  expect(urgency(deadline(-61, -1), NOW)).toBe('over')
})

test('a short clock is not soon from its first second', () => {
  expect(urgency(deadline(0, 5), NOW)).toBe('soon')
  expect(urgency(deadline(0, 60), NOW)).toBe('calm')
})

test('an ended clock tells whether it was in time, a row of the past alarms nobody', () => {
  const at = (minutes: number): string => new Date(NOW + minutes * MINUTE).toISOString()
  expect(urgency(deadline(-90, -30, { ended: at(-40) }), NOW)).toBe('done')
  expect(urgency(deadline(-90, -30, { ended: at(-20) }), NOW)).toBe('over')
  expect(urgency(deadline(-9000, -8940, { past_at_recording: true }), NOW)).toBe('past')
})

test('the share used stays between none and all', () => {
  expect(used(deadline(-15, 45), NOW)).toBeCloseTo(0.25)
  expect(used(deadline(-90, -30), NOW)).toBe(1)
  expect(used(deadline(10, 70), NOW)).toBe(0)
  expect(used(deadline(0, 0), NOW)).toBe(1)
})

test('near times lose their date, far ones keep it', () => {
  expect(nearTime(NOW, NOW, 'zh-CN')).toMatchObject({ key: 'words.time.today' })
  expect(nearTime(NOW - 24 * 60 * MINUTE, NOW, 'zh-CN')).toMatchObject({ key: 'words.time.yesterday' })
  expect(nearTime(NOW + 24 * 60 * MINUTE, NOW, 'en')).toMatchObject({ key: 'words.time.tomorrow' })
  expect(typeof nearTime(NOW - 9 * 24 * 60 * MINUTE, NOW, 'zh-CN')).toBe('string')
})
