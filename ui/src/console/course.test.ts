import { expect, test } from 'vitest'
import {
  longer,
  openMeasures,
  openQuestions,
  ownMeasures,
  ownTasks,
  requestsFor,
  sumOf,
  sumToGive,
  untilProblem,
} from './course'
import type { ComplaintView, Vote } from './types'

const HOUR = 60 * 60_000
const at = (hours: number): string => new Date(Date.UTC(2026, 10, 2) + hours * HOUR).toISOString()
const now = Date.parse(at(10))

function complaint(parts: object): ComplaintView {
  return { questions: [], tasks: [], extensions: [], plan: [], deadlines: [], claim: null, ...parts } as unknown as ComplaintView
}
const deadline = (parts: object): object => ({ clock: 'outer_limit', task: null, running: true, from: at(0), due: at(24), ...parts })

test('a question is open until somebody has replied', () => {
  const view = complaint({ questions: [{ id: 'a', replies: [] }, { id: 'b', replies: [{ text: 'x' }] }] })
  expect(openQuestions(view).map((one) => one.id)).toEqual(['a'])
})

test('a deadline may be lengthened by as much as it had to begin with, until it ends', () => {
  const view = complaint({ deadlines: [deadline({})] })
  expect(longer(view, null, now)).toEqual({ task: null, due: at(24), latest: at(48), over: false })
  expect(longer(view, null, Date.parse(at(24)))?.over).toBe(true)
  const of = longer(view, null, now)
  if (of === null) throw new Error('no deadline')
  expect(untilProblem(at(24), of)).toBe('not_later')
  expect(untilProblem(at(25), of)).toBeNull()
  expect(untilProblem(at(48), of)).toBeNull()
  expect(untilProblem(at(49), of)).toBe('too_late')
})

test('a task is lengthened by its own clock, the case by the outer limit', () => {
  const view = complaint({
    deadlines: [deadline({ clock: 'department', task: 't', due: at(12) }), deadline({ clock: 'cycle', due: at(3) }), deadline({})],
  })
  expect(longer(view, 't', now)?.due).toBe(at(12))
  expect(longer(view, null, now)?.due).toBe(at(24))
  expect(longer(view, 'other', now)).toBeNull()
  expect(longer(complaint({ deadlines: [deadline({ running: false })] }), null, now)).toBeNull()
})

test('management decides on the outer limit, the expert on a task, and nobody on what is decided', () => {
  const view = complaint({
    extensions: [
      { task: null, outcome: null },
      { task: 't', outcome: null },
      { task: 'u', outcome: { granted: true } },
    ],
  })
  expect(requestsFor(view, { id: 'm', role: 'management' }).map((one) => one.task)).toEqual([null])
  expect(requestsFor(view, { id: 'e', role: 'expert' }).map((one) => one.task)).toEqual(['t'])
})

test('a measure is told by its own person, and every one by whoever holds the case', () => {
  const view = complaint({
    claim: { expert: 'e' },
    plan: [{ id: '1', staff: 'd', done_at: null }, { id: '2', done_at: at(1) }],
  })
  expect(ownMeasures(view, { id: 'd', role: 'department' }).map((one) => one.id)).toEqual(['1'])
  expect(ownMeasures(view, { id: 'e', role: 'expert' }).map((one) => one.id)).toEqual(['1', '2'])
  expect(ownMeasures(view, null)).toEqual([])
  expect(openMeasures(view.plan).map((one) => one.id)).toEqual(['1'])
})

test('a department asks for its own open tasks only', () => {
  const view = complaint({
    tasks: [
      { id: '1', department: 'd', state: 'accepted' },
      { id: '2', department: 'd', state: 'reported' },
      { id: '3', department: 'x', state: 'sent' },
    ],
  })
  expect(ownTasks(view, { id: 'd', role: 'department' }).map((one) => one.id)).toEqual(['1'])
  expect(ownTasks(view, { id: 'e', role: 'expert' })).toEqual([])
})

test('the answer proposes what was approved, and never more than may be given', () => {
  const view = (limits: object | null, reported: number | null): ComplaintView =>
    ({ limits, report: { compensation_minor: reported } }) as unknown as ComplaintView
  const limits = (approved: number | null, most: number) => ({ approved, most, without_approval: 50_000, two_votes_from: 1_000_000 })
  expect(sumToGive(view(limits(30_000, 30_000), 60_000))).toBe(30_000)
  expect(sumToGive(view(limits(0, 0), 60_000))).toBe(0)
  expect(sumToGive(view(limits(null, 50_000), 20_000))).toBe(20_000)
  expect(sumToGive(view(limits(null, 50_000), 60_000))).toBe(50_000)
  expect(sumToGive(view(limits(null, 50_000), null))).toBeNull()
})

test('of the sums the votes name the lowest holds, and none where none is named', () => {
  const votes = (...sums: (number | null)[]): Vote[] => sums.map((sum) => ({ compensation_minor: sum }) as Vote)
  expect(sumOf(votes(null, 700, 900))).toBe(700)
  expect(sumOf(votes(0, 700))).toBe(0)
  expect(sumOf(votes(null))).toBeNull()
})
