import { expect, test } from 'vitest'
import { decide } from './decision'
import { emptyForm } from '@/shared/form'
import type { Suggestion } from '@/shared/types'

const suggestion: Suggestion = {
  category: 'B.01.02',
  category_reason: null,
  grade: 'three',
  grade_reason: null,
  complexity: 'simple',
  complexity_reason: null,
  version: 1,
}
const follow = { grade: null, complexity: null }

test('without a choice the suggestion stands and needs no reason', () => {
  expect(decide(emptyForm(), suggestion, follow)).toEqual({
    category: 'B.01.02',
    grade: 'three',
    complexity: 'simple',
    differs: false,
  })
})

test('each of category, grade and complexity decided otherwise needs a reason', () => {
  const other = { ...emptyForm(), category: 'A.01' }
  expect(decide(other, suggestion, follow).differs).toBe(true)
  expect(decide(emptyForm(), suggestion, { ...follow, grade: 'two' }).differs).toBe(true)
  expect(decide(emptyForm(), suggestion, { ...follow, complexity: 'complex' }).differs).toBe(true)
})

test('a category where none was suggested needs no reason', () => {
  const other = { ...emptyForm(), category: 'A.01' }
  expect(decide(other, { ...suggestion, category: null }, follow).differs).toBe(false)
})

test('grade 1 is complex whatever was chosen', () => {
  const decision = decide(emptyForm(), suggestion, { grade: 'one', complexity: 'simple' })
  expect(decision.complexity).toBe('complex')
})

test('before anything is suggested nothing is decided', () => {
  expect(decide(emptyForm(), null, follow)).toMatchObject({ grade: null, complexity: null, differs: false })
})
