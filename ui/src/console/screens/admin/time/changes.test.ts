import { expect, test } from 'vitest'
import type { Hours, Policy, Rung } from '../../../types'
import { changesOf, type Change, type Words } from './changes'
import { copyOf } from './rules'

const DAY = 24 * 60
const usual = [{ from: 540, to: 720 }, { from: 780, to: 1080 }]
const hours: Hours = {
  week: [usual, usual, usual, usual, usual, [], []],
  makeup: usual,
  half_day: usual.slice(0, 1),
  holiday: [],
}
const before: Policy = {
  version: 1,
  since: null,
  assessment: 15,
  handoff: 60,
  grade1_alert: 5,
  first_response: DAY,
  initial_analysis: DAY,
  feedback: DAY,
  cycle_working_days: 7,
  call_back: 7 * DAY,
  outer_limit: 15 * DAY,
  reminders: [15, 30],
  automatic_handoff_before: 10,
  lease: 30,
  idle_lock: 10,
  compensation_limit: 50_000,
  two_votes_from: 1_000_000,
  missed_handoff_costs: 4,
  utc_offset: 480,
  zone: null,
  hours,
  branch_hours: {},
  pauses: [{ reason: 'customer', name: '等待客户', clocks: ['cycle', 'department'], most: 5 * DAY }],
  ladder: [
    { clock: 'feedback', grade: null, level: 'remind', after_due: -120, texted: null },
    { clock: 'feedback', grade: null, level: 'copy', after_due: 0, texted: null },
    { clock: 'feedback', grade: 'one', level: 'copy', after_due: -60, texted: null },
  ],
}

/** The last part of each key, with what the sentence names. */
const words: Words = {
  t: (key, params) => [key.split('.').at(-1), ...Object.values(params ?? {})].join(' '),
  weekday: (index) => `day ${index}`,
  branch: (code) => `branch ${code}`,
}

function changed(change: (policy: Policy) => void): string[] {
  const after = copyOf(before)
  change(after)
  return changesOf(before, after, words).map(({ what, was, will }: Change) => `${what}: ${was} -> ${will}`)
}

test('nothing differs from a copy, nor by a new number or another order of the clocks', () => {
  expect(changed(() => {})).toEqual([])
  expect(
    changed((policy) => {
      policy.version = 2
      policy.pauses[0]?.clocks.reverse()
    }),
  ).toEqual([])
})

test('every setting that is a number is compared, and exactly', () => {
  for (const [name, value] of Object.entries(before)) {
    if (typeof value !== 'number' || name === 'version') continue
    expect(changed((policy) => Object.assign(policy, { [name]: value + 1 })), name).toHaveLength(1)
  }
  expect(changed((policy) => (policy.call_back = 7 * DAY + 1))).toEqual(['call_back: days 7 -> minutes 10081'])
  expect(changed((policy) => (policy.cycle_working_days = 5))).toEqual(['cycle: working_days 7 -> working_days 5'])
})

test('an empty list and a zone by its name have words', () => {
  expect(changed((policy) => (policy.reminders = []))).toEqual(['reminders: minutes 15, minutes 30 -> none'])
  expect(changed((policy) => (policy.zone = 'Asia/Urumqi'))).toEqual(['zone: UTC+08:00 -> Asia/Urumqi'])
  expect(changed((policy) => (policy.utc_offset = -210))).toEqual(['zone: UTC+08:00 -> UTC−03:30'])
})

test('hours differ by the day, a branch that has its own at once by all', () => {
  expect(changed((policy) => (policy.hours.week[5] = usual.slice(0, 1)))).toEqual(['day 5: closed -> 09:00–12:00'])
  expect(changed((policy) => (policy.hours.holiday = [{ from: 0, to: DAY }]))).toEqual([
    'holiday: closed -> 00:00–24:00',
  ])
  const all =
    'day 0–day 4 09:00–12:00, 13:00–18:00; day 5–day 6 closed; ' +
    'makeup 09:00–12:00, 13:00–18:00; half_day 09:00–12:00; holiday closed'
  expect(changed((policy) => (policy.branch_hours.CQ0101 = copyOf(hours)))).toEqual([
    `branch CQ0101: as_others -> ${all}`,
  ])

  const own = { ...copyOf(before), branch_hours: { CQ0101: copyOf(hours) } }
  const later = copyOf(own)
  later.branch_hours.CQ0101?.week.splice(6, 1, usual)
  expect(changesOf(own, later, words)).toEqual([
    { what: 'branch CQ0101 · day 6', was: 'closed', will: '09:00–12:00, 13:00–18:00' },
  ])
})

test('a pause is added, changed and taken away by its key', () => {
  expect(changed((policy) => (policy.pauses = []))).toEqual([
    'one customer: 等待客户, cycle · department, most days 5 -> none',
  ])
  expect(
    changed((policy) => {
      policy.pauses[0]!.most = null
      policy.pauses.push({ reason: 'police', name: '等待公安', clocks: ['cycle'], most: 60 })
    }),
  ).toEqual([
    'one customer: 等待客户, cycle · department, most days 5 -> 等待客户, cycle · department, no_most',
    'one police: none -> 等待公安, cycle, most hours 1',
  ])
})

test('the ladder differs by the clock and the grade, in any order of its rungs', () => {
  const report: Rung = { clock: 'feedback', grade: null, level: 'report', after_due: 240, texted: null }
  expect(changed((policy) => void policy.ladder.reverse())).toEqual([])
  expect(changed((policy) => void policy.ladder.push(report))).toEqual([
    'what feedback all: rung_before remind hours 2, rung_at copy -> ' +
      'rung_before remind hours 2, rung_at copy, rung_after report hours 4 (texted)',
  ])
  expect(changed((policy) => void policy.ladder.pop())).toEqual(['what feedback one: rung_before copy hours 1 -> as_all'])
  expect(changed((policy) => void policy.ladder.splice(0, 2))).toEqual([
    'what feedback all: rung_before remind hours 2, rung_at copy -> none',
  ])
  expect(changed((policy) => void policy.ladder.push({ ...report, clock: 'handoff', grade: 'two', after_due: 90, texted: null }))).toEqual([
    'what handoff two: as_all -> rung_after report minutes 90 (texted)',
  ])
})
