import { expect, test } from 'vitest'
import { bytes, fitting, meanSeconds, named, reasonsOf, takenShare } from './desks'
import type { DeskRow } from './types'

function desk(letter: string, given: Partial<DeskRow> = {}): DeskRow {
  return {
    id: letter,
    branch: 'CQ0101',
    branch_name: '解放碑营业厅',
    letter,
    name: '1号柜台',
    last_contact: null,
    standing: null,
    standing_of: null,
    today: {},
    week: {},
    attention: [],
    ...given,
  }
}

const letters = (desks: DeskRow[]): string => desks.map((one) => one.letter).join('')

test('a desk is found by branch, name, or its letter behind the branch', () => {
  const desks = [desk('A'), desk('B', { branch: 'CQ0202', branch_name: '观音桥营业厅' })]
  expect(letters(fitting(desks, '', 'all'))).toBe('AB')
  expect(letters(fitting(desks, ' 观音 ', 'all'))).toBe('B')
  expect(letters(fitting(desks, 'cq0101-a', 'all'))).toBe('A')
  expect(letters(fitting(desks, 'nowhere', 'all'))).toBe('')
})

test('desks are filtered by any reason or by one, in the order the hub gave', () => {
  const desks = [
    desk('C', { attention: ['disk_nearly_full', 'offline'] }),
    desk('A', { attention: ['offline'] }),
    desk('B'),
  ]
  expect(letters(fitting(desks, '', 'any'))).toBe('CA')
  expect(letters(fitting(desks, '', 'disk_nearly_full'))).toBe('C')
  expect(letters(fitting(desks, '', 'silent'))).toBe('')
  expect(reasonsOf(desks)).toEqual(['disk_nearly_full', 'offline'])
})

test('a count that is left out is 0, and a share of nothing is none', () => {
  expect(meanSeconds({})).toBeNull()
  expect(takenShare({})).toBeNull()
  expect(meanSeconds({ forms_timed: 4, form_s: 600 })).toBe(150)
  expect(takenShare({ grade_taken: 2, category_taken: 1, complexity_changed: 1 })).toBe(0.75)
  expect(takenShare({ grade_changed: 3 })).toBe(0)
})

test('the numbers of the sentences are those of seven days and of the last standing', () => {
  const one = desk('A', {
    week: { unclean_ends: 3 },
    standing: {
      version: '0.1.0',
      system: 'linux',
      database_bytes: 1,
      free_bytes: 900 * 1024 * 1024,
      unsent_events: 0,
      evidence_bytes: 0,
    },
  })
  const numbers = named(one, { usual_version: '0.2.0' })
  expect(numbers).toMatchObject({ unclean_ends: 3, repairs: 0, free: '900 MiB', version: '0.1.0', usual: '0.2.0' })
})

test('bytes are never shown as more than there are', () => {
  expect(bytes(1023)).toBe('1023 B')
  expect(bytes(1024 * 1024 - 1)).toBe('1023 KiB')
  expect(bytes(1.99 * 1024 ** 3)).toBe('1.9 GiB')
})
