import { expect, test } from 'vitest'
import { countedTries, countsFrom, foreseen, freshTalk, reopens, talkLacks, wasMissing } from './callBack'

const HOUR = 60 * 60_000
const at = (hours: number): string => new Date(Date.UTC(2026, 10, 2) + hours * HOUR).toISOString()
const tries = (...hours: number[]): { at: string }[] => hours.map((one) => ({ at: at(one) }))

test('a try counts four hours after the last that counted, not after the last of all', () => {
  expect(countedTries(tries(0, 1, 3.9, 4, 7, 8)).map((one) => one.at)).toEqual([at(0), at(4), at(8)])
})

test('it is told from when on another try counts', () => {
  expect(countsFrom([], Date.parse(at(0)))).toBeNull()
  expect(countsFrom(tries(0, 3), Date.parse(at(3.5)))).toBe(at(4))
  expect(countsFrom(tries(0), Date.parse(at(4)))).toBeNull()
})

test('what is not carried out or badly rated foresees a customer who is not satisfied', () => {
  expect(foreseen({ done: undefined, score: 0 })).toBeUndefined()
  expect(foreseen({ done: true, score: 5 })).toBe(true)
  expect(foreseen({ done: true, score: 4 })).toBe(true)
  expect(foreseen({ done: true, score: 3 })).toBeUndefined()
  expect(foreseen({ done: true, score: 2 })).toBe(false)
  expect(foreseen({ done: false, score: 5 })).toBe(false)
})

test('who is not satisfied has it reopened with their words, unless it is decided for good', () => {
  const talk = { ...freshTalk(), score: 2, satisfied: false }
  expect(reopens(talk, false)).toBe(true)
  expect(talkLacks(talk, false)).toEqual(['comment'])
  expect(talkLacks({ ...talk, comment: 'too late' }, false)).toEqual([])
  expect(reopens(talk, true)).toBe(false)
  expect(talkLacks(talk, true)).toEqual([])
  expect(reopens({ ...talk, reopen: false }, false)).toBe(false)
  expect(reopens({ ...talk, satisfied: true }, false)).toBe(false)
})

test('a score and the last question are never left out', () => {
  expect(talkLacks(freshTalk(), false)).toEqual(['score', 'satisfied'])
})

test('what was missing is asked of everybody who is not wholly content', () => {
  expect(wasMissing(freshTalk())).toBe(false)
  expect(wasMissing({ ...freshTalk(), score: 3 })).toBe(true)
  expect(wasMissing({ ...freshTalk(), score: 5, done: false })).toBe(true)
  expect(wasMissing({ ...freshTalk(), score: 5, satisfied: true })).toBe(false)
})
