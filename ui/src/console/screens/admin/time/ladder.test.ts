import { expect, test } from 'vitest'
import type { Rung } from '../../../types'
import {
  LADDER_CLOCKS,
  afterDue,
  dropRow,
  isTexted,
  rungsOf,
  setAfterDue,
  setApart,
  setTexted,
  whenOf,
} from './ladder'
import { words } from '@/texts/zh-CN/words'

const rung = (over: Partial<Rung> = {}): Rung => ({
  clock: 'feedback',
  grade: null,
  level: 'copy',
  after_due: 0,
  texted: null,
  ...over,
})

test('every clock has its ladder', () => {
  expect([...LADDER_CLOCKS].sort()).toEqual(Object.keys(words.clock).sort())
})

test('rungs are of one clock and grade, the lowest first', () => {
  const ladder = [rung({ level: 'report', after_due: 60 }), rung({ level: 'remind', after_due: -60 }), rung({ grade: 'one' })]
  expect(rungsOf(ladder, 'feedback', null).map((one) => one.level)).toEqual(['remind', 'report'])
  expect(rungsOf(ladder, 'feedback', 'one')).toHaveLength(1)
  expect(rungsOf(ladder, 'handoff', null)).toEqual([])
  expect(afterDue(ladder, 'feedback', null, 'remind')).toBe(-60)
  expect(afterDue(ladder, 'feedback', null, 'copy')).toBeNull()
})

test('a cell is set, changed and emptied without touching others', () => {
  const ladder = [rung(), rung({ grade: 'one', after_due: -5 })]
  setAfterDue(ladder, 'feedback', null, 'copy', 30)
  setAfterDue(ladder, 'feedback', null, 'report', 60)
  expect(rungsOf(ladder, 'feedback', null).map((one) => one.after_due)).toEqual([30, 60])
  setAfterDue(ladder, 'feedback', null, 'copy', null)
  setAfterDue(ladder, 'feedback', null, 'remind', null)
  expect(ladder).toEqual([rung({ grade: 'one', after_due: -5 }), rung({ level: 'report', after_due: 60 })])
})

test('a grade set apart begins as all, and can be as all again', () => {
  const ladder = [rung(), rung({ level: 'report', after_due: 60 })]
  setApart(ladder, 'feedback', 'one')
  setAfterDue(ladder, 'feedback', 'one', 'copy', -30)
  expect(rungsOf(ladder, 'feedback', 'one').map((one) => one.after_due)).toEqual([-30, 60])
  expect(rungsOf(ladder, 'feedback', null).map((one) => one.after_due)).toEqual([0, 60])
  dropRow(ladder, 'feedback', 'one')
  expect(ladder).toHaveLength(2)
  setApart(ladder, 'handoff', 'two')
  expect(rungsOf(ladder, 'handoff', 'two')).toHaveLength(1)
})

test('reports and grade-1 alerts are texted unless the policy says otherwise', () => {
  expect(isTexted(rung())).toBe(false)
  expect(isTexted(rung({ level: 'report' }))).toBe(true)
  expect(isTexted(rung({ clock: 'grade1_alert' }))).toBe(true)
  const ladder = [rung(), rung({ level: 'report' })]
  setTexted(ladder, 'feedback', null, 'report', false)
  setTexted(ladder, 'feedback', null, 'copy', true)
  setTexted(ladder, 'handoff', null, 'copy', true)
  expect(ladder.map(isTexted)).toEqual([true, false])
  setAfterDue(ladder, 'feedback', null, 'copy', 30)
  expect(ladder.map(isTexted)).toEqual([true, false])
})

test('when is read off the minutes', () => {
  expect([null, -1, 0, 1].map(whenOf)).toEqual(['none', 'before', 'at', 'after'])
})
